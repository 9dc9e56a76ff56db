// The visitor's text, read with the gates as they are held and as trained.
import { useEffect, useRef, useState } from 'preact/hooks';
import { asInputs } from './holds.js';
import { Reading } from './reading.js';

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

// An empty text is read as the start of a line.
const readable = (text) => text || '\n';

// Return what has been read and written, and functions to change it:
//   view: { text, steps, isTyped }, or null before the first text was read.
//   free, held: { text, bits } of the two continuations; held may be missing.
//   read: of a text, and whether it was typed into the field.
export function useReadings(model, holds, temperature, seed, onShorten) {
  const { layers, start } = model.description;
  const main = useRef(new Reading(model)).current;
  const trained = useRef(new Reading(model)).current;
  const queue = useRef(Promise.resolve());
  const text = useRef('');
  const isTyped = useRef(false); // Whether it is in the field already.
  const wish = useRef(0); // Counts what the visitor asked for.
  const [view, setView] = useState(null);
  const [pens, setPens] = useState({ free: {} });
  const [isWriting, setWriting] = useState(false);
  const [error, setError] = useState(null);

  // A reading is changed by one at a time. Work is given a function that says
  // whether the visitor has asked for something else since.
  const then = (work, mine = ++wish.current) => {
    queue.current = queue.current.then(() => work(() => mine !== wish.current)).catch(setError);
  };
  const readMain = async (isStale) => {
    const given = text.current;
    if (!(await main.read(readable(given), isStale)) || isStale()) return;
    setView({ text: given, steps: [...main.steps], isTyped: isTyped.current });
  };
  const read = (given, typed = false) => {
    text.current = shorten(given);
    const isShort = text.current !== given;
    isTyped.current = typed && !isShort;
    if (isShort) onShorten();
    then(readMain);
  };

  useEffect(() => read(start), []);

  useEffect(() => {
    if (!view) return;
    then((isStale) => {
      main.hold(asInputs(holds, layers));
      return readMain(isStale);
    });
  }, [holds]);

  useEffect(() => {
    if (!view || isWriting) return undefined;
    const mine = wish.current;
    const write = async (isStale) => {
      const continued = async (reading) => ({
        text: await reading.continuation(WRITTEN, temperature, seed, isStale),
        bits: reading.bits,
      });
      if (isStale()) return;
      let written;
      if (holds.length === 0) {
        written = { free: await continued(main) };
      } else {
        await trained.read(readable(text.current), isStale);
        if (isStale()) return;
        written = { free: await continued(trained), held: await continued(main) };
      }
      if (!isStale()) setPens(written);
    };
    const timer = setTimeout(() => then(write, mine), PAUSE);
    return () => clearTimeout(timer);
  }, [view, temperature, seed, isWriting]);

  useEffect(() => {
    if (!isWriting || !view) return undefined;
    const mine = wish.current;
    const write = (isStale) => {
      if (!isStale()) read(text.current + main.sample(temperature, Math.random()));
    };
    const timer = setTimeout(() => then(write, mine), BETWEEN_CHARACTERS);
    return () => clearTimeout(timer);
  }, [isWriting, view]);

  return { view, ...pens, read, isWriting, setWriting, error };
}
