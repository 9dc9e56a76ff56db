// A text that the model reads, with the result of every step.
import { draw, random, softmax } from './sampling.js';

// Steps between which the browser may paint, and take keys.
const AT_ONCE = 10;

const nextTask = () => new Promise((resolve) => setTimeout(resolve));

export class Reading {
  constructor(model) {
    this.model = model;
    this.held = {};
    this.steps = [];
  }

  // Read a text; the steps of what it has in common with the last are kept.
  // Returns whether it was read to its end: not if `isStale()` before.
  async read(text, isStale = () => false) {
    const characters = [...text];
    let same = 0;
    while (same < this.steps.length && this.steps[same].character === characters[same]) same++;
    this.steps.length = same;
    for (const [count, character] of characters.slice(same).entries()) {
      if (count && count % AT_ONCE === 0) await nextTask();
      if (isStale()) return false;
      await this.#next(character);
    }
    return true;
  }

  // Hold quantities; the text has to be read again.
  hold(held) {
    this.held = held;
    this.steps = [];
  }

  async #next(character) {
    const { model, held, steps } = this;
    const before = steps.at(-1);
    const number = model.number(character);
    const values = await model.step(number, before?.values, held);
    const probabilities = softmax(values[model.description.output]);
    steps.push({ character, values, probabilities, probability: before?.probabilities[number] });
  }

  // Bits per character of the text, from the second one on.
  get bits() {
    const found = this.steps.map((it) => it.probability).filter((it) => it > 0);
    return found.reduce((sum, it) => sum - Math.log2(it), 0) / found.length;
  }

  // Sample a character to go on with.
  sample(temperature, dice) {
    const { characters, output } = this.model.description;
    return characters[draw(this.steps.at(-1).values[output], temperature, dice)];
  }

  // Sample a continuation; the text stays as it is. Returns what there is of it
  // when it `isStale()`.
  async continuation(length, temperature, seed, isStale) {
    const { model, held } = this;
    const { characters, output } = model.description;
    const dice = random(seed);
    let { values } = this.steps.at(-1);
    let text = '';
    for (let count = 0; count < length; count++) {
      if (count % AT_ONCE === 0) await nextTask();
      if (isStale()) break;
      const number = draw(values[output], temperature, dice());
      text += characters[number];
      values = await model.step(number, values, held);
    }
    return text;
  }
}
