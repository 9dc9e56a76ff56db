// A model that LiteRT runs a step at a time: a character and the memories in,
// predictions, memories and every quantity of every gate out.
import { Environment, Tensor, loadAndCompile, loadLiteRt } from '@litertjs/core';

// A file beside the page or, if the page is one file, a part of it.
async function load(name) {
  const part = document.getElementById(`part-${name}`);
  if (!part) {
    const response = await fetch(name);
    if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
    return response;
  }
  const bytes = Uint8Array.from(atob(part.textContent), (it) => it.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate')));
}

async function startRuntime() {
  if (!document.getElementById('part-runtime.wasm')) return loadLiteRt('wasm/');
  const [wasmBinary, loader] = await Promise.all(
    ['runtime.wasm', 'runtime.js'].map(async (name) => (await load(name)).arrayBuffer()),
  );
  self.Module = { wasmBinary }; // Emscripten takes it instead of fetching one.
  const url = URL.createObjectURL(new Blob([loader], { type: 'text/javascript' }));
  return loadLiteRt(`${url}#.js`);
}

export async function loadModel() {
  const [description, bytes] = await Promise.all([
    load('model.json').then((it) => it.json()),
    load('step.tflite').then((it) => it.arrayBuffer()),
    startRuntime(),
  ]);
  // Without an environment of its own, LiteRT looks for a GPU and warns.
  const environment = new Environment({ webGpuDevice: null });
  const compiled = await loadAndCompile(new Uint8Array(bytes), { accelerator: 'wasm', environment });
  return new Model(description, compiled, environment);
}

export class Model {
  #compiled;
  #environment;
  #shapes;

  constructor(description, compiled, environment) {
    this.description = description;
    this.#compiled = compiled;
    this.#environment = environment;
    // By name: the order of inputs in the file is arbitrary.
    this.#shapes = Object.fromEntries(
      compiled.getInputDetails().map((it) => [it.name, [...it.shape]]),
    );
    this.numbers = new Map(description.characters.map((it, number) => [it, number]));
  }

  number(character) {
    return this.numbers.get(character) ?? this.description.unknown;
  }

  // Run one step.
  //   number: of the character to read.
  //   before: the result of the step before; undefined for empty memories.
  //   held: values of quantities by `<layer>_<quantity>`, NaN for units that
  //     are left alone.
  // Returns every output of the file, by name.
  async step(number, before = {}, held = {}) {
    const inputs = {};
    for (const [name, shape] of Object.entries(this.#shapes)) {
      inputs[name] = new Tensor(this.#input(name, shape, number, before, held), shape, this.#environment);
    }
    const outputs = await this.#compiled.run(inputs);
    const values = {};
    for (const [name, tensor] of Object.entries(outputs)) values[name] = tensor.toTypedArray().slice();
    // LiteRT's memory is not garbage-collected.
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    return values;
  }

  #input(name, shape, number, before, held) {
    if (name === this.description.input) return Int32Array.of(number);
    const size = shape.reduce((one, other) => one * other, 1);
    if (name.startsWith('hold_')) return held[name.slice('hold_'.length)] ?? new Float32Array(size).fill(NaN);
    return before[name] ?? new Float32Array(size);
  }
}
