import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '..');

export interface Image {
  readonly repository: string;
  readonly tag: string;
  /** `sha256:` and 64 hex digits, or empty. */
  readonly digest: string;
}

/** Files that name an image as one word, `repository:tag`. */
export const NAMING: readonly string[] = [
  'Dockerfile',
  'charts/crosspod/Chart.yaml',
  'k8s/README.md',
  'k8s/load/job.yaml',
  'k8s/load/testrun.yaml',
  'k8s/prometheus/deployment.yaml',
  'k8s/prometheus-adapter/deployment.yaml',
];
/** Where an image is a map of repository, tag and digest. */
export const CHART_VALUES = 'charts/crosspod/values.yaml';

export function readImages(): readonly Image[] {
  return parse(readFileSync(join(ROOT, 'images.yaml'), 'utf8')) as Image[];
}

/** As a container runtime takes it: with the digest, where there is one, which is what counts then. */
export function nameOf({ repository, tag, digest }: Image): string {
  return `${repository}:${tag}${digest === '' ? '' : `@${digest}`}`;
}

/** The text of a file as it is to be; whatever it names that images.yaml has not stays as it is. */
export function raised(file: string, text: string, images: readonly Image[]): string {
  let raisedText = text;
  for (const image of images) {
    const { repository, tag, digest } = image;
    const place = repository.replaceAll('.', String.raw`\.`);
    if (file === CHART_VALUES) {
      const map = new RegExp(`(repository: ${place}\\n\\s+tag: ).*((?:\\n\\s+#.*)*\\n\\s+digest: ).*`);
      raisedText = raisedText.replace(map, `$1'${tag}'$2'${digest}'`);
    } else {
      const name = new RegExp(`${place}:[\\w.-]*\\w(?:@sha256:[0-9a-f]{64})?`, 'g');
      raisedText = raisedText.replace(name, nameOf(image));
    }
  }
  return raisedText;
}

if (import.meta.main) {
  const images = readImages();
  for (const file of [...NAMING, CHART_VALUES]) {
    const path = join(ROOT, file);
    writeFileSync(path, raised(file, readFileSync(path, 'utf8'), images));
  }
}
