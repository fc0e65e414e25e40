import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TlsFiles } from './stack/redis-server.ts';
import { requireProgram } from '../../scripts/requirements.ts';

/** A certificate for 127.0.0.1 that signs itself; gone when the test ends. */
export function createCertificate(): TlsFiles {
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-certificate-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  const holder = ['-subj', '/CN=crosspod test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', ...kind, ...holder, '-keyout', key, '-out', cert];
  execFileSync(requireProgram('openssl'), args, { stdio: 'pipe' });
  return { cert, key, ca: cert };
}
