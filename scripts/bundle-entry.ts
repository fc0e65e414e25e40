// What the image starts (build-server.ts). The order matters: stacks name the sources from the first error on.
import './source-stacks.ts';
import '../src/main.ts';
