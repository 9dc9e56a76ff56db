// The text that is read, coloured by a quantity of a unit.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { colour, css, dark, strength } from './format.js';

// Arguments:
//   view: what was read last; a text that was not typed is written into the
//     field, one that was is there already.
//   onPlace: is given the step before the caret, null at the end.
export function Text({ view, name, quantity, unit, place, onText, onPlace }) {
  const area = useRef();
  const { text, steps, isTyped } = view;
  useLayoutEffect(() => {
    if (!isTyped && area.current.value !== text) area.current.value = text;
  }, [view]);
  const followCaret = ({ target: { value, selectionStart } }) => {
    // The browser counts in UTF-16, steps are characters.
    onPlace(selectionStart === value.length ? null : [...value.slice(0, selectionStart)].length - 1);
  };
  const opacity = dark.matches ? 0.45 : 0.75; // The text stays legible.
  return (
    <div class="paper">
      <div class="ink" aria-hidden="true">
        {steps.map(({ character, values }, step) => (
          <span class={step === place ? 'here' : ''}
            style={{ background: css(colour(strength(quantity, values[name][unit]), opacity)) }}>{character}</span>
        ))}{'\u200b'}
      </div>
      <textarea ref={area} aria-label="Text to read; the caret picks the step" spellcheck={false} autocapitalize="off"
        autocomplete="off" defaultValue={text} onInput={(event) => onText(event.target.value)}
        onClick={followCaret} onKeyUp={followCaret} />
    </div>
  );
}
