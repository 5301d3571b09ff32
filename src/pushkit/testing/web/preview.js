// Screens as people know them, roughly. Line limits are approximations: they differ by device, font size
// and settings (see docs/testing.md). Everything is text: nothing here builds HTML from a string.

export function el(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined && text !== "") node.textContent = text;
  return node;
}

const NAMES = { ios: "iPhone, lock screen", android: "Android, notification shade", browser: "Desktop browser" };

function card(kind, look, when) {
  const screen = el("figure", `screen ${kind}`);
  const box = el("div", "card");
  const head = el("div", "card-head");
  head.append(el("span", "app-icon", (look.app || "App").slice(0, 1).toUpperCase()), el("span", "app-name", look.app || "App"), el("span", "when", when));
  if (look.badge) head.append(el("span", "badge", look.badge));
  box.append(head);
  if (look.silent) {
    box.append(el("p", "silent", look.note || "Nothing on the screen."));
  } else {
    if (look.title) box.append(el("p", "title", look.title));
    if (look.subtitle) box.append(el("p", "subtitle", look.subtitle));
    if (look.body) box.append(el("p", "body", look.body));
  }
  screen.append(box, el("figcaption", "", NAMES[kind]));
  return screen;
}

export function preview(look) {
  const part = el("div", look.refused ? "screens refused-push" : "screens");
  if (look.refused) part.append(el("p", "note", "The service did not take it: no screen shows this."));
  for (const kind of look.screens) part.append(card(kind, look, "now"));
  if (look.links.length) {
    const list = el("ul", "links");
    for (const link of look.links) {
      const item = el("li");
      // Pictures and links stay text until somebody asks for them, and only web addresses can be opened.
      if (/^https?:\/\//i.test(link)) {
        const anchor = el("a", "", link);
        anchor.href = link;
        anchor.target = "_blank";
        anchor.rel = "noreferrer noopener";
        item.append(anchor);
      } else {
        item.textContent = link;
      }
      list.append(item);
    }
    part.append(el("h3", "", "Picture and link (opened only when you click)"), list);
  }
  if (look.note && !look.silent) part.append(el("p", "note", look.note));
  return part;
}
