// Messages as the readers of both chats see them. All text becomes text nodes: nothing that was posted is markup here.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter(child => child !== undefined && child !== null));
  return made;
}

function link(url, label) {
  if (!/^https?:\/\//.test(url)) return label;
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

const lit = text => element("b", { class: "mention" }, text);

/// Slack's own characters, which it escapes.
const plain = text => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/// The name that Slack shows for an id, as the members tab has it.
function nameOf(id, members) {
  const found = members.find(row => row.some(cell => cell.trim() === id));
  return found ? found[0] : id;
}

/// What stands between `<` and `>`.
function reference(inside, members) {
  const [target, label] = inside.split("|");
  if (target.startsWith("@")) return lit(`@${label ?? nameOf(target.slice(1), members)}`);
  if (target.startsWith("!subteam^")) return lit(`@${label ?? nameOf(target.slice(9), members)}`);
  if (target.startsWith("!")) return lit(`@${target.slice(1)}`);
  if (target.startsWith("#")) return element("a", {}, `#${label ?? target.slice(1)}`);
  return link(plain(target), plain(label ?? target));
}

const FORMATS = [
  [/^`([^`\n]+)`/, "code", false],
  [/^\*([^\s*](?:[^*\n]*[^\s*])?)\*(?![\p{L}\p{N}])/u, "strong", true],
  [/^_([^\s_](?:[^_\n]*[^\s_])?)_(?![\p{L}\p{N}])/u, "em", true],
  [/^~([^\s~](?:[^~\n]*[^\s~])?)~(?![\p{L}\p{N}])/u, "s", true],
];
const EMOJI = { tada: "🎉", fire: "🔥", warning: "⚠️", white_check_mark: "✅", eyes: "👀" };

/// One line of mrkdwn, as nodes.
function line(text, members) {
  const nodes = [];
  let words = "";
  const flush = () => { if (words) nodes.push(plain(words)); words = ""; };
  for (let rest = text; rest;) {
    const found = /^<([^<>\n]+)>/.exec(rest);
    if (found) { flush(); nodes.push(reference(found[1], members)); rest = rest.slice(found[0].length); continue; }
    const emoji = /^:([a-z0-9_+-]+):/.exec(rest);
    if (emoji && EMOJI[emoji[1]]) { words += EMOJI[emoji[1]]; rest = rest.slice(emoji[0].length); continue; }
    const atEdge = !/[\p{L}\p{N}]$/u.test(words);
    const format = atEdge && FORMATS.map(([pattern, name, nested]) => [pattern.exec(rest), name, nested]).find(([match]) => match);
    if (format) {
      const [match, name, nested] = format;
      flush();
      nodes.push(element(name, {}, ...(nested ? line(match[1], members) : [plain(match[1])])));
      rest = rest.slice(match[0].length);
      continue;
    }
    const character = String.fromCodePoint(rest.codePointAt(0));
    words += character;
    rest = rest.slice(character.length);
  }
  flush();
  return nodes;
}

/// Slack's mrkdwn; lines that begin with `>` are quotations.
export function mrkdwn(text, members) {
  return text.split("\n").map(one => {
    const quoted = /^(?:&gt;|>) ?/.exec(one);
    return element(quoted ? "blockquote" : "div", {}, ...line(quoted ? one.slice(quoted[0].length) : one, members));
  });
}

/// Typetalk's text: mentions, tags and addresses among blanks.
export function typetalk(text) {
  return text.split("\n").map(one => {
    const quoted = /^> ?/.exec(one);
    const nodes = (quoted ? one.slice(quoted[0].length) : one).split(/(\s+)/).map(word => {
      if (/^@[A-Za-z0-9_.+-]+$/.test(word)) return lit(word);
      if (/^#[^\s#]+$/.test(word)) return element("span", { class: "tag" }, word);
      return /^https?:\/\//.test(word) ? link(word, word) : word;
    });
    return element(quoted ? "blockquote" : "div", {}, ...nodes);
  });
}

/// A message of Slack's: its text, or its blocks and attachments if it has any.
function slack(post, { members, press }) {
  const { blocks: above, attachments } = post.layout ?? {};
  const blocks = above?.length ? above : undefined;
  const nodes = blocks ? blocks.map(block => layout(block, members, press)) : mrkdwn(post.text, members);
  for (const attachment of attachments ?? []) {
    const box = element("div", { class: "attachment" });
    // The policy has no inline styles; what a script sets is no inline style.
    if (/^#[0-9a-f]{6}$/i.test(attachment.color ?? "")) box.style.borderLeftColor = attachment.color;
    box.append(...(attachment.blocks ?? []).map(block => layout(block, members, press)));
    if (attachment.text) box.append(...mrkdwn(attachment.text, members));
    nodes.push(box);
  }
  return nodes;
}

function layout(block, members, press) {
  const text = part => part?.type === "plain_text" ? [part.text] : mrkdwn(part?.text ?? "", members);
  switch (block.type) {
    case "header": return element("div", { class: "head" }, ...text(block.text));
    case "section": return element("div", {}, ...text(block.text), ...(block.fields ?? []).flatMap(text));
    case "context": return element("div", { class: "context" }, ...block.elements.flatMap(text));
    case "divider": return element("hr");
    case "actions": return element("div", { class: "row" }, ...block.elements.map(button => element("button", {
      type: "button", class: button.style ?? "", "data-action": button.action_id, onclick: () => press(button),
    }, button.text?.text ?? button.action_id)));
    default: return element("div", {}, block.type);
  }
}

/// One message, with its time and what is behind it.
export function message(post, scene, about) {
  const { words, step, press } = about;
  const body = post.chat === "slack" ? slack(post, { members: scene.members, press: action => press(post, action) }) : typetalk(post.text);
  return element("article", { class: "post", "data-step": post.step },
    element("p", { class: "meta" }, element("b", {}, "oncall-relay"), ` ${step ? step.at.slice(11) : ""}`,
      post.updates ? ` ${words.edited}` : ""),
    post.is_for_one ? element("p", { class: "meta" }, `👁 ${words.for_one}`) : undefined,
    element("div", { class: "body" }, ...body),
    step ? behind(step, words) : undefined);
}

/// The answer that the relay gave, and what it logged.
export function behind(step, words) {
  const answer = step.status === null ? words.reminded : words.answered;
  return element("details", { class: "behind", "data-key": `behind-${step.number}` },
    element("summary", {}, `${words.step(step.number)} · ${step.status ?? "λ"} · ${step.millis} ms`),
    element("p", {}, `${answer}: ${step.status ?? ""} `, element("code", {}, step.body)),
    element("p", {}, `${words.log}:`),
    element("pre", { tabindex: "0" }, step.log.join("\n")));
}

/// A channel of Slack's: threads under their first message; what is broadcast stands in the channel, too. Each entry has
/// a key, what it is made from, and how.
export function channel(posts, scene, about) {
  const { words } = about();
  const known = new Set(posts.map(post => post.ts));
  const replies = Map.groupBy(posts.filter(post => post.thread), post => post.thread);
  const thread = parent => {
    const inside = replies.get(parent);
    return inside && element("details", { class: "thread", open: true, "data-key": `thread-${parent}` },
      element("summary", {}, words.replies(inside.length)),
      ...inside.map(reply => message(reply, scene, about(reply))));
  };
  const root = (key, from, ...children) => ({ key, from, make: () => element("div", { class: "root" }, ...children.map(child => child())) });
  const shown = [];
  for (const post of posts) {
    const itself = () => message(post, scene, about(post));
    const inside = post.thread ? [] : replies.get(post.ts) ?? [];
    if (!post.thread) shown.push(root(post.ts ?? `one-${post.number}`, [post, inside], itself, () => thread(post.ts)));
    else if (!known.has(post.thread) && replies.get(post.thread)[0] === post) {
      shown.push(root(`lost-${post.thread}`, replies.get(post.thread),
        () => element("p", { class: "meta" }, words.missing), () => thread(post.thread)));
    }
    if (post.thread && post.broadcast) {
      shown.push({ key: `broadcast-${post.ts}`, from: post, make: () => element("div", { class: "root broadcast" },
        element("p", { class: "meta" }, `↪ ${words.in_thread}`), itself()) });
    }
  }
  return shown;
}
