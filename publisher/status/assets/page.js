// Refreshes the page: every few seconds it is fetched again, and what differs is
// changed in place. So focus, selection, scroll position and opened details stay,
// and the form is not touched. Links that sort, filter or open a card do the same at
// once. Without JavaScript the page is complete, but not refreshed, and the links
// load it again.
"use strict";

const interval = 5000;

// update makes one node equal to another with as few changes as possible.
function update(node, next) {
  if (node.isEqualNode(next)) return;
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
// that is added, removed or moved does not close the details of others.
function updateChildren(node, wanted) {
  const keyed = new Map();
  for (const child of node.children) if (keyOf(child)) keyed.set(keyOf(child), child);
  wanted.forEach((next, i) => {
    const here = node.childNodes[i] || null;
    const key = keyOf(next);
    const same = key ? keyed.get(key) : here && !keyOf(here) && here;
    if (!same) node.insertBefore(next, here);
    else {
      if (same !== here) node.insertBefore(same, here);
      update(same, next);
    }
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

// parameters are those that select what is shown. The form has others, which are for
// one request.
const parameters = ["sort", "pool", "zone", "backend"];

function selection() {
  const all = new URLSearchParams(location.search);
  return new URLSearchParams(parameters.filter((name) => all.has(name)).map((name) => [name, all.get(name)]));
}

const counts = () => ["health", "fleet"].map((id) => document.getElementById(id)?.textContent.trim()).filter(Boolean).join("; ");

async function refresh() {
  const search = String(selection());
  const response = await fetch("/?" + search, { headers: { Accept: "text/html" } });
  if (!response.ok) throw new Error(response.statusText);
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  if (search !== String(selection())) return; // a link was followed meanwhile
  const before = counts();
  const focused = document.activeElement;
  for (const id of ["live", "age"]) update(document.getElementById(id), next.getElementById(id));
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true }); // its row has moved
  document.title = next.title;
  if (counts() !== before || document.body.classList.contains("lost")) announce(counts());
  document.body.classList.remove("lost");
}

// follow shows what a link of the arrays leads to, without leaving the page. It waits
// for the link before, because that changes what the others lead to.
let followed = Promise.resolve();

function follow(link) {
  followed = followed.then(() => link.isConnected && show(new URL(link.href)));
  return followed;
}

async function show(url) {
  history.pushState(null, "", url.pathname + url.search);
  try {
    await refresh();
    document.getElementById("card")?.scrollIntoView({ block: "nearest" });
  } catch {
    showLost();
  }
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  let link = event.target.closest("a");
  const row = event.target.closest("tr[data-key]");
  if (!link && row && !event.target.closest(".opened") && getSelection().isCollapsed) link = row.querySelector("th.name a");
  if (!link || !link.closest("#arrays")) return;
  event.preventDefault();
  if (link.matches(".close")) close();
  else follow(link);
});

// close closes the card and returns to the row that opened it.
async function close() {
  const link = document.querySelector("a[aria-expanded=true]");
  if (!link) return;
  link.focus();
  await follow(link);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.target.closest("form")) close();
});
// The form has the selection of the page as it was sent; links have changed it since.
document.addEventListener("formdata", (event) => {
  for (const name of parameters) event.formData.delete(name);
  for (const [name, value] of selection()) event.formData.set(name, value);
});
window.addEventListener("popstate", () => refresh().catch(showLost));

// showLost keeps what is shown while the agent does not respond: a link that was
// followed meanwhile takes effect when it does.
function showLost() {
  const text = "poolcast does not respond; this page shows the data received last";
  document.body.classList.add("lost");
  document.getElementById("age").textContent = text;
  announce(text);
}

async function refreshAndRepeat() {
  try {
    if (!document.hidden) await refresh();
  } catch {
    showLost();
  }
  setTimeout(refreshAndRepeat, interval);
}

setTimeout(refreshAndRepeat, interval);
