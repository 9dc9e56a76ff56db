// A model that LiteRT runs a step at a time: a character and the memories in,
// predictions, memories and every quantity of every gate out.
import { Environment, Tensor, loadAndCompile, loadLiteRt } from '@litertjs/core';

const HOLD = 'hold_';

const sizeOf = (shape) => shape.reduce((one, other) => one * other, 1);

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
  // On the CPU alone.
  const environment = new Environment({ webGpuDevice: null });
  const compiled = await loadAndCompile(new Uint8Array(bytes), { accelerator: 'wasm', environment });
  return new Model(description, compiled, environment);
}

export class Model {
  #compiled;
  #environment;
  #shapes;
  #holds = new Map();

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
    for (const name of Object.keys(held)) {
      if (!(HOLD + name in this.#shapes)) throw new Error(`there is no ${name} to hold`);
    }
    const given = [];
    const inputs = {};
    for (const [name, shape] of Object.entries(this.#shapes)) {
      if (name.startsWith(HOLD)) {
        inputs[name] = this.#hold(name, held[name.slice(HOLD.length)]);
        continue;
      }
      const values = name === this.description.input ? this.#event(number) : before[name];
      inputs[name] = this.#tensor(values ?? new Float32Array(sizeOf(shape)), shape);
      given.push(inputs[name]);
    }
    const outputs = await this.#compiled.run(inputs);
    const values = {};
    for (const [name, tensor] of Object.entries(outputs)) values[name] = tensor.toTypedArray().slice();
    // LiteRT's memory is not garbage-collected.
    for (const tensor of [...given, ...Object.values(outputs)]) tensor.delete();
    return values;
  }

  #event(number) {
    return this.description.input_dtype === 'float32' ? Float32Array.of(number) : Int32Array.of(number);
  }

  // The tensor of a hold, the same for as long as its values are.
  #hold(name, values) {
    const last = this.#holds.get(name);
    if (last && last.values === values) return last.tensor;
    last?.tensor.delete();
    const shape = this.#shapes[name];
    const tensor = this.#tensor(values ?? new Float32Array(sizeOf(shape)).fill(NaN), shape);
    this.#holds.set(name, { values, tensor });
    return tensor;
  }

  #tensor(values, shape) {
    return new Tensor(values, shape, this.#environment);
  }
}
