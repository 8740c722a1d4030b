// Markdown to DOM nodes. Text never becomes HTML: every node is made by its name, links go to web
// pages and mail only, and images are not loaded, since whoever writes the text is a model.

const SAFE_LINK = /^(https?:\/\/|mailto:)/i;

function element(name, ...children) {
  const node = document.createElement(name);
  node.append(...children);
  return node;
}

/** Renders a text, which may be cut off anywhere. */
export function render(text) {
  const fragment = document.createDocumentFragment();
  blocks(text.replace(/\r\n?/g, "\n").split("\n"), fragment, 0);
  return fragment;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(\s+|$)/;
const TABLE_RULE = /^ {0,3}\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const MAX_DEPTH = 12;

function blocks(lines, out, depth) {
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    let match;
    if (!line.trim()) {
      i++;
    } else if ((match = FENCE.exec(line))) {
      i = fence(lines, i, match[1], out);
    } else if ((match = HEADING.exec(line))) {
      // the page has headings of its own above these
      out.append(element("h" + Math.min(6, match[1].length + 2), ...inline(match[2])));
      i++;
    } else if (RULE.test(line)) {
      out.append(element("hr"));
      i++;
    } else if (QUOTE.test(line) && depth < MAX_DEPTH) {
      const inside = [];
      while (i < lines.length && QUOTE.test(lines[i])) inside.push(lines[i++].replace(QUOTE, ""));
      const quote = element("blockquote");
      blocks(inside, quote, depth + 1);
      out.append(quote);
    } else if (ITEM.test(line) && depth < MAX_DEPTH) {
      i = list(lines, i, out, depth);
    } else if (line.includes("|") && i + 1 < lines.length && TABLE_RULE.test(lines[i + 1])) {
      i = table(lines, i, out);
    } else {
      i = paragraph(lines, i, out);
    }
  }
}

function fence(lines, i, mark, out) {
  const code = [];
  let j = i + 1;
  while (j < lines.length && !(lines[j].trim().startsWith(mark) && !lines[j].trim().slice(mark.length).trim())) {
    code.push(lines[j++]);
  }
  const pre = element("pre", element("code", code.join("\n")));
  pre.tabIndex = 0; // it may have to be scrolled
  out.append(pre);
  return j + 1;
}

function list(lines, i, out, depth) {
  const first = ITEM.exec(lines[i]);
  const ordered = /\d/.test(first[2]);
  const node = element(ordered ? "ol" : "ul");
  if (ordered && parseInt(first[2], 10) !== 1) node.start = parseInt(first[2], 10);
  const indent = first[1].length;
  while (i < lines.length) {
    const match = ITEM.exec(lines[i]);
    if (!match || match[1].length !== indent || /\d/.test(match[2]) !== ordered) break;
    const width = match[0].length;
    const inside = [lines[i].slice(width)];
    i++;
    while (i < lines.length) {
      const deeper = lines[i].length - lines[i].trimStart().length > indent;
      const blank = !lines[i].trim();
      if (blank && !(i + 1 < lines.length && /^\s/.test(lines[i + 1]) &&
          lines[i + 1].length - lines[i + 1].trimStart().length > indent)) break;
      if (!blank && !deeper && (ITEM.test(lines[i]) || inside.at(-1) === "" || FENCE.test(lines[i]) || HEADING.test(lines[i]))) break;
      inside.push(blank ? "" : lines[i].replace(new RegExp("^ {0," + width + "}"), ""));
      i++;
    }
    while (i < lines.length && !lines[i].trim() && i + 1 < lines.length && ITEM.test(lines[i + 1])) i++;
    const item = element("li");
    blocks(inside, item, depth + 1);
    if (item.childNodes.length === 1 && item.firstChild.nodeName === "P") item.replaceChildren(...item.firstChild.childNodes);
    node.append(item);
  }
  out.append(node);
  return i;
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map(cell => cell.trim().replace(/\\\|/g, "|"));
}

function table(lines, i, out) {
  const head = element("tr", ...cells(lines[i]).map(cell => element("th", ...inline(cell))));
  const body = element("tbody");
  i += 2;
  while (i < lines.length && lines[i].includes("|") && lines[i].trim()) {
    body.append(element("tr", ...cells(lines[i++]).map(cell => element("td", ...inline(cell)))));
  }
  const node = element("table", element("thead", head), body);
  node.tabIndex = 0;
  out.append(node);
  return i;
}

function paragraph(lines, i, out) {
  const text = [lines[i++]];
  while (i < lines.length && lines[i].trim() && !FENCE.test(lines[i]) && !HEADING.test(lines[i]) &&
      !QUOTE.test(lines[i]) && !ITEM.test(lines[i]) && !RULE.test(lines[i])) {
    text.push(lines[i++]);
  }
  out.append(element("p", ...inline(text.join("\n"))));
  return i;
}

// Each alternative begins with a character that no other one begins with, so nothing is tried twice.
const INLINE = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*(?=\S)([\s\S]*?\S)\*\*|__(?=\S)([\s\S]*?\S)__|\*(?=[^\s*])([^*]*?[^\s*])\*|~~(?=\S)([\s\S]*?\S)~~|!?\[([^\]\n]*)\]\(\s*<?([^\s()<>]+)>?(?:\s+"[^"\n]*")?\s*\)|(https?:\/\/[^\s<>"')\]]+)|\\([!-/:-@[-`{-~])/;

/** Nodes of a text within a line or paragraph. */
export function inline(text, depth = 0) {
  const nodes = [];
  let rest = text;
  while (rest) {
    const match = depth < MAX_DEPTH ? INLINE.exec(rest) : null;
    if (!match) {
      nodes.push(rest);
      break;
    }
    if (match.index) nodes.push(rest.slice(0, match.index));
    const [whole, , code, strong, strong2, emphasis, deleted, label, target, url, escaped] = match;
    if (code !== undefined) nodes.push(element("code", code));
    else if (strong ?? strong2) nodes.push(element("strong", ...inline(strong ?? strong2, depth + 1)));
    else if (emphasis) nodes.push(element("em", ...inline(emphasis, depth + 1)));
    else if (deleted) nodes.push(element("del", ...inline(deleted, depth + 1)));
    else if (target !== undefined) nodes.push(link(target, label || target));
    else if (url) nodes.push(link(url, url));
    else nodes.push(escaped);
    rest = rest.slice(match.index + whole.length);
  }
  return nodes;
}

function link(target, label) {
  if (!SAFE_LINK.test(target)) return label;
  const node = element("a", label);
  node.href = target;
  node.rel = "noopener noreferrer nofollow";
  node.target = "_blank";
  return node;
}
