import { directoryContract } from './directory.ts';
import { MemoryDirectory } from '../../src/engines/memory/directory.ts';

directoryContract('The directory of a single pod', {
  async open(source, answer) {
    const directory = new MemoryDirectory();
    await directory.start(source, answer);
    return directory;
  },
});
