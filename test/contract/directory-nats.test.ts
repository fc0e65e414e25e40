import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { directoryContract } from './directory.ts';
import { type SharedDirectorySubject, sharedDirectoryContract } from './shared-directory.ts';
import { NatsDirectory } from '../../src/engines/nats/directory.ts';
import { NatsSubject } from '../engines/nats/subject.ts';

const nats = new NatsSubject();
beforeAll(() => nats.start());
beforeEach(() => nats.empty());
afterEach(() => nats.close());
afterAll(() => nats.stop());

const subject: SharedDirectorySubject = {
  async open(source, answer) {
    const backbone = nats.backbone();
    const directory = new NatsDirectory(backbone);
    await backbone.start();
    await nats.settled(backbone);
    await directory.start(source, answer);
    return directory;
  },
  breaks: () => nats.server.freeze(),
  mends: () => nats.server.thaw(),
};

directoryContract('The NATS directory', subject);
sharedDirectoryContract('The NATS directory', subject);
