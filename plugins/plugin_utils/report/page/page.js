// What the page of a report does in a browser: the matrix of hosts, its filter, and details on demand.
//
// Rules of this file: what the document says becomes text and nothing else, through element(). What is shown follows
// from the state, which is in the address; whoever changes it calls go(), and draw() shows it.
//
// Copyright: (c) 2026, the mailops.smtp authors
// SPDX-License-Identifier: GPL-3.0-or-later
"use strict";

(() => {
  const FIRST_ROWS = 30; // Rows that a filter shows at once; the others follow.
  const ROWS = 25; // Hosts of a group, and groups, before there is a button for more.
  const MOST_OPEN = 12; // So many hosts are shown with their groups open.
  const MOST_COLUMNS = 16; // With more endpoints than these a column is a port.
  const MOST_PRINTED = 40; // Of more hosts that fail, the first of each group is printed with its details.
  const SIGNS = {
    bad: ["✕", "fails"],
    warn: ["!", "works, with a warning"],
    unknown: ["?", "not known"],
    spare: ["○", "closed, not needed"],
    skipped: ["–", "skipped"],
    good: ["✓", "works"],
  };
  const GRAVEST_FIRST = Object.keys(SIGNS);
  const STAGES = ["resolve", "connect", "greeting", "ehlo", "starttls", "handshake", "auth", "envelope"];
  const GROUPED_BY = { outcome: "outcome", provider: "provider", none: "" };
  const FIELDS = ["host", "verdict", "provider", "text", "by"];

  const at = (id) => document.getElementById(id);
  const { report, outcomes, said, good } = unpacked(JSON.parse(at("data").textContent));
  const kind = report.kind;
  const hosts = report.hosts.map((host, index) => ({ ...host, index, outcome: outcomes[index] }));
  const columns = columnsOf(hosts);
  const findings = byHost(report.gate ? report.gate.findings : []);
  const worse = byHost(report.gate ? report.gate.worse : []);
  const better = byHost(report.gate ? report.gate.better : []);
  const failing = hosts.filter((host) => toneOf(host) !== "good");
  const limits = new Map();
  let state = stateOf(location.hash);
  let printing = false;
  let coming = null; // The rows that are still to be shown.

  // ---- Data

  // The opposite of packed() in html_page.py.
  function unpacked({ shapes, values }) {
    const done = [];
    for (const value of values) {
      if (!Array.isArray(value)) done.push(value);
      else if (value[0] < 0) done.push(value.slice(1).map((place) => done[place]));
      else done.push(Object.fromEntries(shapes[value[0]].map((key, index) => [key, done[value[index + 1]]])));
    }
    return done[done.length - 1];
  }

  // What is said of each host, by a function of its name.
  function byHost(items) {
    const found = new Map();
    for (const one of items) {
      if (!found.has(one.host)) found.set(one.host, []);
      found.get(one.host).push(one);
    }
    return (host) => found.get(host.name) || [];
  }

  function way(route) {
    if (!route) return "none";
    return route.host ? `${route.port} ${route.tls}` : "direct";
  }

  function nameOf(endpoint) {
    return `${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
  }

  // Endpoints, or where there are too many of them, ports; of tests, the files that they are in.
  function columnsOf(all) {
    const testsOf = (host) => host.tests;
    const endpointsOf = (host) => host.endpoints;
    const file = (one) => (one.name.includes("::") ? one.name.split("::")[0] : "tests");
    if (kind === "verify") return keyed(all, testsOf, file);
    const ofRelays = all.flatMap((host) => host.endpoints.filter((one) => !one.server));
    const relays = new Set(ofRelays.map((one) => one.host));
    const port = (one) => `${one.server ? "to servers: " : ""}${one.port} ${one.tls}`;
    const ofServer = (one) => `to ${one.server}: ${one.port} ${one.tls}`;
    const ofRelay = (one) => (relays.size === 1 ? port(one) : `${nameOf(one)} ${one.tls}`);
    const endpoint = (one) => (one.server ? ofServer(one) : ofRelay(one));
    const whole = keyed(all, endpointsOf, endpoint);
    return whole.names.length > MOST_COLUMNS ? keyed(all, endpointsOf, port) : whole;
  }

  function keyed(all, itemsOf, keyOf) {
    const names = [...new Set(all.flatMap((host) => itemsOf(host).map(keyOf)))];
    return { names, of: (host, name) => itemsOf(host).filter((one) => keyOf(one) === name) };
  }

  function toneOf(host) {
    if (good.includes(host.state)) return "good";
    return ["unreachable", "not_probed", "not_tested"].includes(host.state) ? "unknown" : "bad";
  }

  function toneOfItem(host, one) {
    if (kind === "verify") return { failed: "bad", skipped: "skipped", passed: "good" }[one.outcome];
    if (one.usable) return one.verdict === "ok" ? "good" : "warn";
    return good.includes(host.state) && !one.server ? "spare" : "bad";
  }

  function gravest(tones) {
    return GRAVEST_FIRST.find((tone) => tones.includes(tone));
  }

  function providerOf(host) {
    return host.provider ? host.provider.title : "";
  }

  function verdictsOf(host) {
    const items =
      kind === "verify" ? host.tests.map((one) => `test:${one.outcome}`) : host.endpoints.map((one) => one.verdict);
    return [`host:${host.state}`, ...items];
  }

  function wordsOf(host) {
    host.words ??= [said[host.state], ...textsOf([report.hosts[host.index], findings(host), worse(host), better(host)])]
      .join("\n")
      .toLowerCase();
    return host.words;
  }

  // Reads the words of all hosts in small pieces, so that the first search need not.
  function readWords(from = 0) {
    hosts.slice(from, from + 50).forEach(wordsOf);
    if (from + 50 < hosts.length) setTimeout(() => readWords(from + 50));
  }

  function textsOf(value) {
    if (value === null || value === undefined || typeof value === "boolean") return [];
    return typeof value === "object" ? Object.values(value).flatMap(textsOf) : [String(value)];
  }

  // ---- The state and the address

  function stateOf(hash) {
    const given = new URLSearchParams(hash.slice(1));
    const found = Object.fromEntries(FIELDS.map((name) => [name, given.get(name) || ""]));
    return {
      ...found,
      by: Object.hasOwn(GROUPED_BY, found.by) ? found.by : "outcome",
      open: new Set(given.getAll("open")),
      show: new Set(given.getAll("show")),
    };
  }

  function hashOf(one) {
    const given = new URLSearchParams(
      FIELDS.filter((name) => one[name] && (name !== "by" || one.by !== "outcome")).map((name) => [name, one[name]]),
    );
    for (const name of one.open) given.append("open", name);
    for (const name of one.show) given.append("show", name);
    return `#${given}`;
  }

  // `step`: whether the browser's Back comes back to what was before.
  function go(change, step = true) {
    state = { ...state, ...change };
    const method = step ? "pushState" : "replaceState";
    try {
      history[method](null, "", hashOf(state));
    } catch {
      // A browser that keeps no address for this page, or limits how often it may change, still filters.
    }
    draw(!step || Object.keys(change).some((name) => FIELDS.includes(name)));
  }

  function toggled(set, item, on = !set.has(item)) {
    const copy = new Set(set);
    if (on) copy.add(item);
    else copy.delete(item);
    return copy;
  }

  function matching() {
    const name = state.host.toLowerCase();
    const words = state.text.toLowerCase().split(" ").filter(Boolean);
    return hosts.filter(
      (host) =>
        host.name.toLowerCase().includes(name) &&
        (!state.provider || providerOf(host) === state.provider) &&
        (!state.verdict || verdictsOf(host).includes(state.verdict)) &&
        words.every((word) => wordsOf(host).includes(word)),
    );
  }

  // Groups in the order in which they are read: outcomes the worst first, providers by name.
  function grouped(found) {
    const keyOf = {
      outcome: (host) => `o${host.outcome}`,
      provider: (host) => `p${providerOf(host)}`,
      none: () => "all",
    }[state.by];
    const groups = new Map();
    for (const host of [...found].sort((one, other) => one.outcome - other.outcome || one.index - other.index)) {
      if (!groups.has(keyOf(host))) groups.set(keyOf(host), []);
      groups.get(keyOf(host)).push(host);
    }
    const list = [...groups].map(([key, members]) => ({ key, members }));
    return state.by === "provider" ? list.sort((one, other) => (one.key < other.key ? -1 : 1)) : list;
  }

  // ---- Elements

  // The one place where something becomes an element: texts are text, null is left out.
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "click") made.addEventListener("click", value);
      else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.flat(2).filter((child) => child !== null && child !== ""));
    return made;
  }

  const td = (...children) => element("td", {}, children);

  // What a stranger may have made long; three lines of it are seen.
  function short(text) {
    return element("span", { class: "short" }, text);
  }

  // A gravity as form, colour and word, with what has it; a button where something is to be pressed.
  function sign(tone, label, attributes = null) {
    const [glyph, meaning] = SIGNS[tone];
    const form = element("span", { role: "img", "aria-label": meaning }, glyph);
    return element(attributes ? "button" : "span", { class: `sign ${tone}`, ...attributes }, form, `\u00a0${label}`);
  }

  function cell(host, name, press, key) {
    const items = columns.of(host, name);
    if (!items.length) return td(element("span", { role: "img", "aria-label": "not tried" }, "·"));
    const tone = gravest(items.map((one) => toneOfItem(host, one)));
    const counts = (outcome) => items.filter((one) => one.outcome === outcome).length;
    const label =
      kind === "verify"
        ? String(counts({ bad: "failed", skipped: "skipped", good: "passed" }[tone]))
        : [...new Set(items.map((one) => one.verdict))].slice(0, 3).join("/");
    const button = { type: "button", tabindex: "-1", "data-key": key, click: press };
    return td(sign(tone, label, press ? button : null));
  }

  function outcomeCell(host) {
    const label = kind === "preflight" && host.state === "route" ? way(host.route) : said[host.state];
    return td(sign(toneOf(host), label));
  }

  // ---- The matrix

  // `filtered`: whether rows far below may come a moment later; else the place that people look at would move.
  function draw(filtered = false) {
    const found = matching();
    const groups = grouped(found);
    const few = found.length <= MOST_OPEN;
    const focused = document.activeElement && document.activeElement.dataset.key;
    coming = rowsOf(groups, few);
    at("matrix").tBodies[0].replaceChildren();
    take(coming, filtered ? FIRST_ROWS : Infinity);
    at("count").textContent = counted(found, groups);
    for (const name of FIELDS) if (at(name).value !== state[name]) at(name).value = state[name];
    at("all").textContent = allOpen(groups) ? "Close all" : "Open all";
    at("all").hidden = state.by === "none" || few;
    at("clear").disabled = !FIELDS.some((name) => name !== "by" && state[name]);
    if (focused) focusOn(focused);
  }

  function counted(found, groups) {
    const what = GROUPED_BY[state.by];
    const told = what ? `, ${groups.length} ${what}${groups.length === 1 ? "" : "s"}` : "";
    return `${found.length} of ${hosts.length} hosts${told}`;
  }

  // Appends so many rows, and as many again when these have been seen, unless others are asked for by then.
  function take(rows, number) {
    const made = document.createDocumentFragment();
    let row = null;
    while (made.childElementCount < number && !(row = rows.next()).done) made.append(row.value);
    at("matrix").tBodies[0].append(made);
    if (!row.done) setTimeout(() => rows === coming && take(rows, number));
  }

  function* rowsOf(groups, few) {
    for (const group of limited("", groups)) {
      if (typeof group === "function") yield moreRow(group);
      else yield* rowsOfGroup(group, few);
    }
  }

  function* rowsOfGroup({ key, members }, few) {
    const plain = state.by === "none" || (state.by === "outcome" && members.length === 1);
    const printed = printing && members.some((host) => failing.includes(host));
    const open = plain || few || printed || state.open.has(key);
    if (!plain) yield groupRow(key, members, open);
    if (!open) return;
    for (const host of limited(key, members)) {
      if (typeof host === "function") yield moreRow(host);
      else yield* rowsOfHost(host, host === members[0]);
    }
  }

  // The first ones of a list, and after them what shows more.
  function limited(key, items) {
    const limit = printing ? items.length : limits.get(key) || ROWS;
    if (items.length <= limit) return items;
    const more = () => {
      limits.set(key, limit + 10 * ROWS);
      draw();
    };
    more.left = items.length - limit;
    return [...items.slice(0, limit), more];
  }

  function moreRow(more) {
    const label = `Show ${Math.min(more.left, 10 * ROWS)} of ${more.left} more`;
    const button = element("button", { type: "button", click: more }, label);
    return element("tr", {}, element("td", { colspan: width() }, button));
  }

  function width() {
    return columns.names.length + 2 + (hasProviders() ? 1 : 0);
  }

  function hasProviders() {
    return kind === "preflight";
  }

  function groupRow(key, members, open) {
    const byProvider = state.by === "provider";
    const names = members.slice(0, 3).map((host) => host.name);
    const number = `${members.length} ${members.length === 1 ? "host" : "hosts"}`;
    const title = byProvider ? providerOf(members[0]) || "no provider" : number;
    const told = byProvider ? number : `${names.join(", ")}${members.length > names.length ? " …" : ""}`;
    const button = fold(`g${key}`, title, open, () => go({ open: toggled(state.open, key) }));
    const head = element("th", { scope: "row" }, button, " ", element("span", { class: "quiet short" }, told));
    return element("tr", { class: "group" }, head, byProvider ? sumsOf(members) : cellsOf(members));
  }

  // The cells of a group whose hosts differ: how many there are of each gravity.
  function sumsOf(members) {
    const tones = (name) => members.flatMap((host) => columns.of(host, name).map((one) => toneOfItem(host, one)));
    const sums = columns.names.map((name) => td(countsOf(tones(name))));
    return [hasProviders() ? td() : null, sums, td(countsOf(members.map(toneOf)))];
  }

  // The cells of a group whose hosts are alike: those of its first host.
  function cellsOf(members) {
    const providers = [...new Set(members.map(providerOf))];
    const provider = providers.length === 1 ? providers[0] : `${providers.length} providers`;
    const cells = columns.names.map((name) => cell(members[0], name));
    return [hasProviders() ? td(short(provider)) : null, cells, outcomeCell(members[0])];
  }

  // A button that opens and closes what stands below it.
  function fold(key, text, open, click, controls = null) {
    const says = { "aria-expanded": String(open), "aria-controls": controls, "data-key": key };
    return element("button", { type: "button", class: "fold", click, ...says }, short(text));
  }

  function countsOf(tones) {
    const found = GRAVEST_FIRST.filter((tone) => tones.includes(tone));
    return found.flatMap((tone) => [sign(tone, String(tones.filter((one) => one === tone).length)), " "]);
  }

  function* rowsOfHost(host, first) {
    const printed = printing && failing.includes(host) && (first || failing.length <= MOST_PRINTED);
    const open = state.show.has(host.name) || printed;
    const id = `details-${host.index}`;
    const press = () => go({ show: toggled(state.show, host.name) });
    const button = fold(`h${host.index}`, host.name, open, press, open ? id : null);
    const cells = columns.names.map((name, place) => {
      const toCard = () => {
        go({ show: toggled(state.show, host.name, true) });
        const card = at(`${id}-${place}`);
        if (card) card.focus();
      };
      return cell(host, name, toCard, `c${host.index}-${place}`);
    });
    const provider = hasProviders() ? td(short(providerOf(host))) : null;
    const head = element("th", { scope: "row" }, button);
    yield element("tr", { class: "host" }, head, provider, cells, outcomeCell(host));
    if (!open) return;
    const inside = element("td", { colspan: width() }, details(host, id));
    yield element("tr", { class: "details", "data-host": host.name }, inside);
  }

  function allOpen(groups) {
    return (
      groups.length > 0 &&
      groups.every(({ key, members }) => state.open.has(key) || (state.by === "outcome" && members.length === 1))
    );
  }

  // ---- Details

  function details(host, id) {
    const route = host.route;
    const reason = host.reasons.join(" ");
    const again = (one) => (one.message === reason ? "as above" : one.message);
    const told = [
      paragraph(reason, toneOf(host)),
      route && !host.reasons.includes(route.reason) ? paragraph(route.reason) : null,
      route && route.remedy ? paragraph(route.remedy, "warn") : null,
      ...host.warnings.map((one) => paragraph(`Warning: ${one}`, "warn")),
      ...findings(host).map((one) => finding(one, again(one))),
      ...worse(host).map((one) => paragraph(`Worse than the baseline: ${again(one)}`, "bad")),
      ...better(host).map((one) => paragraph(`Better than the baseline: ${one.message}`, "good")),
    ];
    const endpoints = host.endpoints.map((one) => endpointCard(host, one, id));
    const tests = kind === "verify" ? columns.names.map((name, place) => testCard(host, name, `${id}-${place}`)) : [];
    return element(
      "div",
      { class: "inner", id, role: "group", "aria-label": `Details of ${host.name}` },
      told,
      factsOfHost(host),
      element("div", { class: "cards" }, endpoints, tests),
    );
  }

  function paragraph(text, tone = "plain") {
    return text ? element("p", { class: `says note ${tone}` }, text) : null;
  }

  function finding(one, message) {
    const end = one.waived ? `; waived: ${one.waived}` : one.known ? "; the baseline has it too" : "";
    return paragraph(`Gate, ${one.rule}: ${message}${end}`, end ? "skipped" : "bad");
  }

  // Rows that have nothing to say are left out.
  function facts(rows) {
    const told = rows.filter(
      ([, value]) => value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && !value.length),
    );
    if (!told.length) return null;
    const row = ([name, value]) => {
      const said = Array.isArray(value) ? value.join(", ") : String(value);
      return element("div", {}, element("dt", {}, name), element("dd", { class: "says" }, said));
    };
    return element("dl", {}, told.map(row));
  }

  function factsOfHost(host) {
    const { route, provider, sender } = host;
    const policy = provider && provider.policy;
    const ports = policy
      ? Object.entries(policy.ports).map(([port, row]) => `${port} ${row.state} (${row.confidence})`)
      : [];
    const helo =
      sender &&
      [sender.helo_name, sender.helo_source && `from ${sender.helo_source}`, sender.helo_problem].filter(Boolean);
    const wayOf = (one) =>
      one.host ? `${one.host} ${way(one)}` : one.direct || one.decided_by === "direct" ? "direct" : "none";
    return facts([
      ["Route", route && wayOf(route)],
      ["Decided by", route && route.decided_by],
      ["Login", route && route.auth_mechanism],
      ["Level of TLS", route && route.security_level],
      ["Other ports", route && route.alternatives.map(wayOf)],
      ...(host.routes.length > 1
        ? host.routes.map((one) => [one.name, [wayOf(one), ...one.senders, ...one.recipients, one.reason]])
        : []),
      ["Provider", provider && [provider.title, provider.evidence, provider.confidence].filter(Boolean)],
      ["Its policy", policy && [...ports, policy.note].filter(Boolean)],
      ["How a block is lifted", policy && policy.lift],
      ["Read in", policy && [policy.as_of, ...policy.sources].filter(Boolean)],
      ["EHLO name", helo],
      ["Sender", sender && sender.mail_from],
      ["Sends from", sender && sender.source_addresses],
      ["Checked at", host.checked_at],
      ...Object.entries(host.evidence),
      ["Tests took", host.duration_s === null ? null : `${host.duration_s} s`],
    ]);
  }

  function endpointCard(host, one, id) {
    const place = columns.names.findIndex((name) => columns.of(host, name).includes(one));
    const first = columns.of(host, columns.names[place])[0] === one;
    const title = `${one.server ? `${one.server} at ` : ""}${nameOf(one)} ${one.tls}`;
    return element(
      "div",
      { class: "card", tabindex: "-1", id: first ? `${id}-${place}` : null, role: "group", "aria-label": title },
      element("h3", { class: "says" }, `${title} `, sign(toneOfItem(host, one), one.verdict)),
      paragraph(one.reason),
      one.usable && one.verdict === "ok" ? null : paragraph(one.advice, "advice"),
      facts([
        ["Address", [one.address, one.family, one.lookup && `by ${one.lookup}`].filter(Boolean)],
        ["Stage", one.stage],
        ["Greeting", one.greeting],
        ["Capabilities", one.capabilities],
        ["Logins", one.auth_mechanisms],
        ["Logged in by", one.auth_mechanism],
        ["TLS", [one.tls_version, one.tls_cipher].filter(Boolean)],
        ["Attempts", one.attempts > 1 ? one.attempts : null],
      ]),
      one.certificate ? certificate(one.certificate) : null,
      waterfall(one.timings_ms),
    );
  }

  function bar(tone, from, to) {
    const filled = element("span", { class: `filled ${tone}` });
    filled.style.marginInlineStart = `${Math.min(Math.max(from, 0), 1) * 100}%`;
    filled.style.width = `${Math.min(Math.max(to - from, 0.005), 1 - Math.min(from, 0.995)) * 100}%`;
    return element("span", { class: "track", "aria-hidden": "true" }, filled);
  }

  function certificate(one) {
    const days = one.days_left;
    const whole = (Date.parse(one.not_after) - Date.parse(one.not_before)) / 86400000;
    const tone = days !== null && days < 0 ? "bad" : one.problems.length ? "warn" : "good";
    const of = whole > 0 ? ` of ${Math.round(whole)}` : "";
    const left = days === null ? null : days < 0 ? `ended ${-days} days ago` : `${days} days left${of}`;
    return element(
      "div",
      { class: "certificate" },
      element("h4", {}, "Certificate ", left ? element("span", { class: `days ${tone}` }, left) : null),
      left && whole > 0 ? bar(tone, 0, days / whole) : null,
      facts([
        ["Problems", one.problems],
        ["Subject", one.subject],
        ["Issuer", one.issuer],
        ["Names", one.names],
        ["Valid", [one.not_before, one.not_after].filter(Boolean).join(" to ")],
        ["SHA-256", one.sha256],
      ]),
    );
  }

  function waterfall(timings) {
    const known = STAGES.filter((name) => timings[name] !== null && timings[name] !== undefined);
    if (!known.length) return null;
    const whole = known.reduce((sum, name) => sum + timings[name], 0) || 1;
    let before = 0;
    const rows = known.map((name) => {
      const from = before;
      before += timings[name];
      return timing(name, timings[name], td(bar("stage", from / whole, before / whole)));
    });
    const total = timings.total === null ? null : timing("total", timings.total, td());
    const body = element("tbody", {}, rows, total);
    return element("table", { class: "waterfall" }, element("caption", {}, "Timings"), body);
  }

  function timing(name, time, drawn) {
    const number = element("td", { class: "number" }, `${time} ms`);
    return element("tr", {}, element("th", { scope: "row" }, name), number, drawn);
  }

  function testCard(host, name, id) {
    const items = columns.of(host, name);
    if (!items.length) return null;
    const line = (one) => {
      const told = ` ${one.name}${one.reason ? `: ${one.reason}` : ""}`;
      return element("li", { class: "says" }, sign(toneOfItem(host, one), one.outcome), told);
    };
    const list = (some) => element("ul", { class: "tests" }, some.map(line));
    const passed = items.filter((one) => one.outcome === "passed");
    const others = items.filter((one) => one.outcome !== "passed");
    return element(
      "div",
      { class: "card", tabindex: "-1", id, role: "group", "aria-label": name },
      element("h3", { class: "says" }, name),
      others.length ? list(others) : null,
      passed.length ? element("details", {}, element("summary", {}, `${passed.length} passed`), list(passed)) : null,
    );
  }

  // ---- What people do

  function focusOn(key) {
    const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (found) found.focus({ preventScroll: true });
  }

  // Arrows go from button to button of the matrix; Escape closes the details that hold the focus.
  function pressed(event) {
    const row = event.target.closest("tr");
    if (event.key === "Escape") close(event);
    if (!row || event.altKey || event.ctrlKey || event.metaKey || !event.target.matches("[data-key]")) return;
    const rows = [...at("matrix").tBodies[0].querySelectorAll("tr.group, tr.host")];
    const buttonsOf = (one) => [...one.querySelectorAll("[data-key]")];
    const place = buttonsOf(row).indexOf(event.target);
    const beside = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const below = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const next = below ? buttonsOf(rows[rows.indexOf(row) + below] || row) : buttonsOf(row);
    const to = beside ? next[place + beside] : below ? next[place] || next[0] : null;
    if (beside || below) event.preventDefault();
    if (to) to.focus();
  }

  function close(event) {
    const row = event.target.closest("tr.details") || (event.target.closest("tr.host") || {}).nextElementSibling;
    const name = row && row.dataset.host;
    if (!name || !state.show.has(name)) return;
    event.preventDefault();
    go({ show: toggled(state.show, name, false) });
    focusOn(`h${hosts.find((host) => host.name === name).index}`);
  }

  function print(on) {
    if (printing === on) return;
    printing = on;
    draw();
  }

  function option(value, label) {
    return element("option", { value }, label);
  }

  function begin() {
    const verdicts = [...new Set(hosts.flatMap(verdictsOf))].sort();
    const states = verdicts.filter((one) => one.startsWith("host:"));
    const others = verdicts.filter((one) => !one.startsWith("host:"));
    const named = (verdict) => option(verdict, said[verdict.replace("host:", "")] || verdict.replace("test:", ""));
    at("verdict").append(
      element("optgroup", { label: "hosts" }, states.map(named)),
      element("optgroup", { label: kind === "verify" ? "tests" : "endpoints" }, others.map(named)),
    );
    const providers = [...new Set(hosts.map(providerOf))].filter(Boolean).sort();
    at("provider").append(...providers.map((one) => option(one, one)));
    at("providers").hidden = !hasProviders();
    if (!hasProviders()) at("by").querySelector("[value=provider]").remove();
    const last = { preflight: "route", probe: "outcome", verify: "outcome" }[kind];
    const heads = ["host", ...(hasProviders() ? ["provider"] : []), ...columns.names, last];
    const head = (name) => element("th", { scope: "col" }, short(name));
    at("matrix").tHead.replaceChildren(element("tr", {}, heads.map(head)));
    const tones =
      kind === "verify" ? ["bad", "skipped", "unknown", "good"] : ["bad", "unknown", "warn", "spare", "good"];
    at("legend").replaceChildren(...tones.map((tone) => element("li", {}, sign(tone, SIGNS[tone][1]))));
    for (const name of ["host", "text"])
      at(name).addEventListener("input", () => go({ [name]: at(name).value }, false));
    for (const name of ["verdict", "provider", "by"])
      at(name).addEventListener("change", () => go({ [name]: at(name).value }));
    at("filter").addEventListener("submit", (event) => event.preventDefault());
    at("clear").addEventListener("click", () => go({ host: "", verdict: "", provider: "", text: "" }));
    at("all").addEventListener("click", () => {
      const groups = grouped(matching());
      go({ open: new Set(allOpen(groups) ? [] : groups.map((group) => group.key)) });
    });
    at("box").addEventListener("keydown", pressed);
    addEventListener("popstate", () => {
      state = stateOf(location.hash);
      draw();
    });
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
    matchMedia("print").addEventListener("change", (event) => print(event.matches));
    at("outcomes").hidden = true;
    at("hosts").hidden = false;
    draw(true);
    setTimeout(readWords);
  }

  if (hosts.length) begin();
})();
