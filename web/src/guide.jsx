// A short guide, a step for each gate.
import { useEffect, useRef, useState } from 'preact/hooks';

export function Guide({ cell, layer, onAction, onLeave }) {
  const [at, setAt] = useState(-1);
  const heading = useRef();
  useEffect(() => heading.current?.focus(), [at]);
  useEffect(() => onLeave, []);
  const go = (next) => {
    onLeave();
    setAt(next);
  };
  const { guide, gates } = cell;
  if (at < 0) {
    return (
      <p class="guide">
        <button type="button" class="main" onClick={() => go(0)}>Guide</button>
        <span class="soft">Gate by gate, in five minutes.</span>
      </p>
    );
  }
  const { gate, text, action } = guide[at];
  // What a cell computes without a network of its own cannot be held.
  const isPossible = !action.hold || layer.holdable.includes(action.hold.quantity);
  return (
    <section class="guide" aria-label="Guide">
      <h2 ref={heading} tabIndex={-1}>{at + 1} of {guide.length}: <b class={gates[gate].colour}>the {gates[gate].title}</b></h2>
      <p aria-live="polite">{text}</p>
      <div class="row">
        {isPossible && <button type="button" class="main" onClick={() => onAction(action)}>{action.label}</button>}
        {at > 0 && <button type="button" onClick={() => go(at - 1)}>Back</button>}
        {at + 1 < guide.length && <button type="button" onClick={() => go(at + 1)}>Next gate</button>}
        <button type="button" onClick={() => go(-1)}>{at + 1 < guide.length ? 'Leave the guide' : 'Done'}</button>
      </div>
    </section>
  );
}
