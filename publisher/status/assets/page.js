// Keeps the page fresh: every few seconds the part that changes is fetched and
// put in place of the old one. What the reader has opened stays open, and the
// form is left alone. Without this script the page is complete, only still.
"use strict";

const every = 5000;

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(answer.statusText);
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const live = next.getElementById("live");
  for (const open of document.querySelectorAll("#live details[open]")) {
    const twin = live.querySelector(`details[data-key="${CSS.escape(open.dataset.key)}"]`);
    if (twin) twin.open = true;
  }
  const focused = document.activeElement && document.activeElement.closest("#live details");
  document.getElementById("live").replaceWith(document.adoptNode(live));
  if (focused) {
    const twin = document.querySelector(`details[data-key="${CSS.escape(focused.dataset.key)}"] summary`);
    if (twin) twin.focus();
  }
  document.getElementById("age").replaceWith(document.adoptNode(next.getElementById("age")));
}

async function turn() {
  try {
    await refresh();
    document.body.classList.remove("lost");
  } catch {
    document.body.classList.add("lost");
    document.getElementById("age").textContent = "poolcast does not answer; these are the last numbers it told";
  }
  setTimeout(turn, every);
}

setTimeout(turn, every);
