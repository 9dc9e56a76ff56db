// The visitor's text, read with the gates as they are held and as trained.
import { useEffect, useRef, useState } from 'preact/hooks';
import { asInputs } from './holds.js';
import { Reading } from './reading.js';
import { draw } from './sampling.js';

// Characters that are kept; older ones go in blocks, as what is left has to be
// read again from empty memories.
const LONGEST = 1000;
const BLOCK = 400;
const WRITTEN = 220;

// Milliseconds. Two texts are many steps, so they wait for a pause.
const PAUSE = 120;
const BETWEEN_CHARACTERS = 70;

function shorten(text) {
  if (text.length <= LONGEST) return text;
  return text.slice(BLOCK * Math.ceil((text.length - LONGEST) / BLOCK));
}

// Return what has been read and written, and functions to change it:
//   view: { text, steps }, or null before the first text was read.
//   free, held: { text, bits } of the two continuations; held may be missing.
export function useReadings(model, holds, temperature, seed) {
  const { layers, characters, output, start } = model.description;
  const main = useRef(new Reading(model)).current;
  const trained = useRef(new Reading(model)).current;
  const queue = useRef(Promise.resolve());
  const wish = useRef(0); // Counts what the visitor asked for.
  const lastHold = useRef(0);
  const [view, setView] = useState(null);
  const [pens, setPens] = useState({ free: {} });
  const [isWriting, setWriting] = useState(false);

  // A reading is changed by one at a time.
  const then = (work) => (queue.current = queue.current.then(work));
  const show = (text) => setView({ text, steps: [...main.steps] });
  const read = (given) => {
    wish.current++;
    return then(async () => {
      const text = shorten(given);
      await main.read(text || '\n');
      show(text);
    });
  };

  useEffect(() => void read(start), []);

  useEffect(() => {
    if (!view) return;
    wish.current++;
    const mine = ++lastHold.current;
    then(async () => {
      if (mine !== lastHold.current) return; // The slider has moved on.
      await main.hold(asInputs(holds, layers));
      setView((it) => ({ ...it, steps: [...main.steps] }));
    });
  }, [holds]);

  useEffect(() => {
    if (!view || isWriting) return undefined;
    const mine = ++wish.current;
    const isStale = () => mine !== wish.current;
    const continued = async (reading) => ({
      text: await reading.continuation(WRITTEN, temperature, seed, isStale),
      bits: reading.bits,
    });
    const timer = setTimeout(() => then(async () => {
      let written;
      if (holds.length === 0) {
        written = { free: await continued(main) };
      } else {
        await trained.read(view.text || '\n');
        written = { free: await continued(trained), held: await continued(main) };
      }
      if (!isStale()) setPens(written);
    }), PAUSE);
    return () => clearTimeout(timer);
  }, [view, temperature, seed, isWriting]);

  useEffect(() => {
    if (!isWriting || !view) return undefined;
    const timer = setTimeout(() => {
      const { values } = view.steps.at(-1);
      read(view.text + characters[draw(values[output], temperature, Math.random())]);
    }, BETWEEN_CHARACTERS);
    return () => clearTimeout(timer);
  }, [isWriting, view]);

  return { view, ...pens, read, isWriting, setWriting };
}
