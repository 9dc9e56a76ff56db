// Bundle the page into dist/, with the runtime and what it is laid out by.
import { cpSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

// With relaxed SIMD, and for browsers without it.
const RUNTIMES = ['litert_wasm_internal', 'litert_wasm_compat_internal'];

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: ['src/main.jsx'],
  outfile: 'dist/page.js',
  bundle: true,
  minify: true,
  format: 'esm',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
});
for (const name of RUNTIMES.flatMap((it) => [`${it}.js`, `${it}.wasm`])) {
  cpSync(`node_modules/@litertjs/core/wasm/${name}`, `dist/wasm/${name}`);
}
cpSync('public', 'dist', { recursive: true });
