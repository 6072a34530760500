// Keeps the page fresh: every few seconds it is fetched again, and what differs
// is changed in place. So focus, selection, scrolling and opened details stay
// as the reader left them, and the form is not touched. Without this script the
// page is complete, only still.
"use strict";

const every = 5000;

// become makes one node like another, changing as little as it can.
function become(node, next) {
  if (node.nodeType !== next.nodeType || node.nodeName !== next.nodeName || keyOf(node) !== keyOf(next)) {
    node.replaceWith(next);
  } else if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.data !== next.data) node.data = next.data;
  } else {
    becomeAttributes(node, next);
    becomeChildren(node, [...next.childNodes]);
  }
}

function becomeAttributes(node, next) {
  for (const { name, value } of next.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  for (const { name } of [...node.attributes]) {
    if (name !== "open" && !next.hasAttribute(name)) node.removeAttribute(name);
  }
}

// becomeChildren finds what has a key by its key, so that an array that comes or
// goes does not close the details of its neighbours.
function becomeChildren(node, wanted) {
  wanted.forEach((next, i) => {
    const key = keyOf(next);
    const twin = key && [...node.children].find((child) => keyOf(child) === key);
    if (twin && twin !== node.childNodes[i]) node.insertBefore(twin, node.childNodes[i]);
    if (node.childNodes[i]) become(node.childNodes[i], next);
    else node.append(next);
  });
  while (node.childNodes.length > wanted.length) node.lastChild.remove();
}

function keyOf(node) {
  return node.dataset && node.dataset.key;
}

function say(text) {
  const word = document.getElementById("word");
  if (word.textContent !== text) word.textContent = text;
}

async function refresh() {
  const answer = await fetch("/", { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(answer.statusText);
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const health = document.getElementById("health").textContent;
  for (const id of ["live", "age"]) become(document.getElementById(id), next.getElementById(id));
  document.title = next.title;
  const now = document.getElementById("health").textContent;
  if (now !== health || document.body.classList.contains("lost")) say(now);
  document.body.classList.remove("lost");
}

async function turn() {
  try {
    if (!document.hidden) await refresh();
  } catch {
    const text = "poolcast does not answer; these are the last numbers it told";
    document.body.classList.add("lost");
    document.getElementById("age").textContent = text;
    say(text);
  }
  setTimeout(turn, every);
}

setTimeout(turn, every);
