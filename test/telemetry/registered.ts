import { NodeSDK } from '@opentelemetry/sdk-node';

/** What `--import @opentelemetry/auto-instrumentations-node/register` does: it is there first, and ends with the signal. */
const sdk = new NodeSDK({ serviceName: 'registered', metricReaders: [], logRecordProcessors: [] });
sdk.start();
process.on('SIGTERM', () => void sdk.shutdown());
