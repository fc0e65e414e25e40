import { directoryContract } from './directory.ts';
import { MemoryDirectory } from '../../src/engines/memory/directory.ts';

directoryContract('The directory of a single pod', {
  async open(source) {
    const directory = new MemoryDirectory();
    await directory.start(source);
    return directory;
  },
});
