export { freePort } from '../../loadtest/ports.ts';
