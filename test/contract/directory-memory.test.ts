import { directoryContract } from './directory.ts';
import { LocalDirectory } from '../../src/engines/memory/directory.ts';

directoryContract('The directory of a single pod', {
  async open(source) {
    const directory = new LocalDirectory();
    await directory.start(source);
    return directory;
  },
});
