// Refreshes the page: every few seconds it is fetched again, and what differs is
// changed in place. So focus, selection, scroll position and opened details stay,
// and the form is not touched. Without JavaScript the page is complete, but not
// refreshed.
"use strict";

const interval = 5000;

// update makes one node equal to another with as few changes as possible.
function update(node, next) {
  if (node.nodeType !== next.nodeType || node.nodeName !== next.nodeName || keyOf(node) !== keyOf(next)) {
    node.replaceWith(next);
  } else if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.data !== next.data) node.data = next.data;
  } else {
    updateAttributes(node, next);
    updateChildren(node, [...next.childNodes]);
  }
}

function updateAttributes(node, next) {
  for (const { name, value } of next.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  for (const { name } of [...node.attributes]) {
    if (name !== "open" && !next.hasAttribute(name)) node.removeAttribute(name);
  }
}

// updateChildren matches elements that have a key by their key, so that an array
// that is added or removed does not close the details of others.
function updateChildren(node, wanted) {
  wanted.forEach((next, i) => {
    const key = keyOf(next);
    const same = key && [...node.children].find((child) => keyOf(child) === key);
    if (same && same !== node.childNodes[i]) node.insertBefore(same, node.childNodes[i]);
    if (node.childNodes[i]) update(node.childNodes[i], next);
    else node.append(next);
  });
  while (node.childNodes.length > wanted.length) node.lastChild.remove();
}

function keyOf(node) {
  return node.dataset && node.dataset.key;
}

// announce passes a text to screen readers.
function announce(text) {
  const element = document.getElementById("announcement");
  if (element.textContent !== text) element.textContent = text;
}

async function refresh() {
  const response = await fetch("/", { headers: { Accept: "text/html" } });
  if (!response.ok) throw new Error(response.statusText);
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  const before = document.getElementById("health").textContent;
  for (const id of ["live", "age"]) update(document.getElementById(id), next.getElementById(id));
  document.title = next.title;
  const health = document.getElementById("health").textContent;
  if (health !== before || document.body.classList.contains("lost")) announce(health);
  document.body.classList.remove("lost");
}

async function refreshAndRepeat() {
  try {
    if (!document.hidden) await refresh();
  } catch {
    const text = "poolcast does not respond; this page shows the data received last";
    document.body.classList.add("lost");
    document.getElementById("age").textContent = text;
    announce(text);
  }
  setTimeout(refreshAndRepeat, interval);
}

setTimeout(refreshAndRepeat, interval);
