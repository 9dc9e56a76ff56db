// Two continuations by the same dice: gates free, and gates held.
import { number } from './format.js';
import { describe } from './holds.js';

export function Samples({ free, held, holds, layers, onSeed }) {
  return (
    <section class="samples">
      <h2>The same dice, with the gates free and held</h2>
      <div class="pens">
        <figure>
          <figcaption>as trained: <b>{number(free.bits)}</b> bits per character</figcaption>
          <pre>{free.text}</pre>
        </figure>
        <figure class={holds.length ? 'held' : 'empty'}>
          {holds.length ? <>
            <figcaption>{holds.map((it) => describe(it, layers)).join('; ')}: <b>{number(held?.bits)}</b> bits per character</figcaption>
            <pre>{held?.text}</pre>
          </> : <p>Hold a gate above, and a second pen writes here.</p>}
        </figure>
      </div>
      <div class="row">
        <button type="button" onClick={onSeed}>Other dice</button>
        <span class="soft">Both go on from your text, with the same dice. Bits: how much your text surprises it.</span>
      </div>
    </section>
  );
}
