import { render } from 'preact';
import { App } from './app.jsx';
import { CELLS } from './cells/index.js';
import { loadModel } from './model.js';

function Heading({ kind }) {
  const { name, intro } = CELLS[kind];
  return <>
    <h1>Inside {name}, while you type</h1>
    <p>
      {intro.map(([text, gate]) => (gate ? <b class={gate}>{text}</b> : text))}
      {' '}This is a trained model, at work in your browser; nothing you type leaves it.
    </p>
  </>;
}

const wait = document.getElementById('wait');
try {
  const model = await loadModel();
  await model.step(model.description.unknown); // A file that does not fit fails here.
  render(<Heading kind={model.description.layers[0].kind} />, document.querySelector('header'));
  wait.remove();
  // In the console: `await live.step(live.number('a'))`, every number of it.
  window.live = model;
  render(<App model={model} />, document.querySelector('main'));
} catch (error) {
  wait.textContent = `The model could not be loaded: ${error.message}`;
  throw error;
}
