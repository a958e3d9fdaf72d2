// A small runner for compiled workflows: jobs in the order of their needs, conditions by GitHub's own evaluator, steps for real.
// usage: node run.mjs PLAN.json; prints {jobs: {name: {result, outputs}}, order, end, log, kept, artifacts, tokens, scripts, commands}
// Plan: root (with .github/workflows), workflow, inputs, secrets, event, and either
//   ends: {job: {result, outputs}}   no step is run, jobs end as said (success and exit 0 where nothing is said); or
//   service, work, action            steps are run: checkout of `service`, the action in the folder `action`, all below `work`.
// With event and event_name the steps find the event as a runner hands it over; `artifacts` ({id, name, folder}) are those of earlier
// runs and attempts, `attempt` is the number of this one. A job that calls another workflow of `root` runs it, its jobs named job/job;
// the jobs of a matrix are named job/0, job/1, ... With `token` each job has a token of its own: `tokens` tells which, and what it may.
// `minute` is how many milliseconds a minute of `timeout-minutes` takes. What steps write to GITHUB_ENV and GITHUB_PATH, and the
// commands they print, are taken as a runner takes them; `scripts` and `commands` tell what was run, with which variables of its own,
// and what was said.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { Evaluator, Lexer, Parser, data } from '@actions/expressions';

const plan = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const log = [], scripts = [], commands = [], tokens = [];
const load = (file) => parse(fs.readFileSync(file, 'utf8'));
const wrap = (value) => JSON.parse(JSON.stringify(value ?? null), data.reviver);

function evaluate(text, contexts, status) {
  const flag = (name, value) => [name, { name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(value) }];
  const functions = new Map([
    flag('always', true), flag('success', status === 'success'), flag('failure', status === 'failure'), flag('cancelled', status === 'cancelled'),
  ]);
  const names = Object.keys(contexts);
  const context = new data.Dictionary(...names.map((key) => ({ key, value: wrap(contexts[key]) })));
  const tree = new Parser(new Lexer(text).lex().tokens, names, [...functions.values()]).parse();
  return new Evaluator(tree, context, functions).evaluate();
}
const truthy = (value) => !(value.kind === data.Kind.Null || value.coerceString() === '' || value.coerceString() === 'false' || value.coerceString() === '0');
function condition(text, contexts, status) {
  let inner = String(text ?? '').trim();
  if (inner.startsWith('${{') && inner.endsWith('}}')) inner = inner.slice(3, -2).trim();
  // A condition without a word about the status holds only while nothing failed.
  if (!/\b(always|success|failure|cancelled)\s*\(/.test(inner)) inner = inner ? `success() && (${inner})` : 'success()';
  return truthy(evaluate(inner, contexts, status));
}
function fill(value, contexts, status) {
  if (typeof value !== 'string') return value === undefined || value === null ? '' : String(value);
  return value.replace(/\$\{\{([\s\S]*?)\}\}/g, (_, inner) => evaluate(inner.trim(), contexts, status).coerceString());
}
const fillAll = (map, contexts, status) => Object.fromEntries(Object.entries(map ?? {}).map(([k, v]) => [k, fill(v, contexts, status)]));

// A file of names and values, as GITHUB_OUTPUT and GITHUB_ENV are.
function outputs(file) {
  const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : [];
  const found = {};
  for (let at = 0; at < lines.length; at += 1) {
    const block = /^([\w-]+)<<(.+)$/.exec(lines[at]);
    const line = /^([\w-]+)=(.*)$/.exec(lines[at]);
    if (block) {
      const text = [];
      for (at += 1; at < lines.length && lines[at] !== block[2]; at += 1) text.push(lines[at]);
      if (at >= lines.length) throw new Error(`an output without its end: ${block[1]}`);
      found[block[1]] = text.join('\n');
    } else if (line) found[line[1]] = line[2];
  }
  return found;
}

const artifacts = new Map((plan.artifacts ?? []).map((one) => [one.id, one]));
const attempt = String(plan.attempt ?? 1);
const kept = [];
let serial = 0;
const told = {};
if (plan.event) {
  fs.mkdirSync(plan.work, { recursive: true });
  fs.writeFileSync(path.join(plan.work, 'event.json'), JSON.stringify(plan.event));
  told.GITHUB_EVENT_PATH = path.join(plan.work, 'event.json');
  told.GITHUB_EVENT_NAME = plan.event_name;
}
// As GitHub matches names of artifacts: a star is any text.
const fits = (pattern, name) => new RegExp(`^${pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`).test(name);

class Job {
  constructor(id, contexts) {
    this.id = id; this.contexts = contexts; this.status = 'success';
    this.workspace = path.join(plan.work, id, 'workspace'); this.temp = path.join(plan.work, id, 'temp');
    this.env = {}; this.paths = []; this.until = Infinity; this.late = false;
    fs.mkdirSync(this.workspace, { recursive: true }); fs.mkdirSync(this.temp, { recursive: true });
  }
  steps(list, contexts, inherited, action) {
    contexts.steps = {};
    let failed = false;
    for (const step of list) {
      const status = this.late ? 'cancelled' : failed ? 'failure' : 'success';
      const all = { ...contexts, env: { ...inherited, ...this.env } };
      if (!condition(step.if, all, status)) { if (step.id) contexts.steps[step.id] = { outcome: 'skipped', conclusion: 'skipped', outputs: {} }; continue; }
      const env = { ...inherited, ...fillAll(step.env, all, status) };
      let done;
      if (step.run !== undefined) done = this.script(fill(step.run, all, status), env, step['working-directory'] ?? '.');
      else done = this.use(step, fillAll(step.with, all, status), env);
      if (step.id) contexts.steps[step.id] = { outcome: done.ok ? 'success' : 'failure', conclusion: done.ok ? 'success' : 'failure', outputs: done.outputs };
      log.push(`${this.id}${action ? ' >' : ''} ${step.name ?? step.uses ?? 'run'}: ${done.ok ? 'ok' : 'failed'}`);
      if (!done.ok) failed = true;
    }
    return !failed;
  }
  script(text, env, folder) {
    const at = serial += 1, own = path.join(this.temp, `s${at}`);
    fs.writeFileSync(own, text);
    scripts.push({ job: this.id, text, env });
    const files = Object.fromEntries(['OUTPUT', 'ENV', 'PATH', 'STATE', 'STEP_SUMMARY'].map((name) => [`GITHUB_${name}`, path.join(this.temp, `${name.toLowerCase()}${at}`)]));
    for (const file of Object.values(files)) fs.writeFileSync(file, '');
    // As a runner: an interrupt for the first process alone, and then its end.
    if (Date.now() >= this.until) this.late = true;
    // What has to run always has five minutes more.
    const left = Math.max(this.until + (this.late ? 5 * plan.minute : 0) - Date.now(), 1) / 1000;
    const words = ['bash', '--noprofile', '--norc', '-eo', 'pipefail', own];
    const ran = spawnSync('timeout', Number.isFinite(left) ? ['--foreground', '-s', 'INT', '-k', String(plan.patience ?? 10), String(left), ...words] : ['0', ...words], {
      cwd: path.join(this.workspace, folder), encoding: 'utf8', maxBuffer: 1 << 26,
      env: {
        HOME: plan.home ?? process.env.HOME, ...plan.env, CI: 'true', GITHUB_ACTIONS: 'true', RUNNER_OS: 'Linux', RUNNER_ARCH: process.arch === 'arm64' ? 'ARM64' : 'X64',
        RUNNER_TEMP: this.temp, RUNNER_TOOL_CACHE: plan.tools, ...files, GITHUB_RUN_ID: '1', GITHUB_RUN_ATTEMPT: attempt, ...told, ...this.env, ...env,
        PATH: [...this.paths, ...(plan.path ?? []), process.env.PATH].join(':'),
      },
    });
    if (Date.now() >= this.until) this.late = true;
    if (ran.status !== 0 || plan.loud) log.push(`${this.id}: ${ran.stdout}\n${ran.stderr}`);
    const given = this.listen(`${ran.stdout}\n${ran.stderr}`);
    Object.assign(this.env, outputs(files.GITHUB_ENV));
    this.paths.unshift(...fs.readFileSync(files.GITHUB_PATH, 'utf8').split('\n').filter(Boolean));
    return { ok: ran.status === 0 && !this.late, outputs: { ...given, ...outputs(files.GITHUB_OUTPUT) } };
  }
  // Takes the commands that a step printed: the older form anywhere in a line, the newer one at its beginning.
  listen(text) {
    const given = {};
    let stopped = null;
    for (const line of text.split(/\r\n|\r|\n/)) {
      const found = /^\s*::([\w-]+)((?:\s[^:]*)?)::(.*)$/.exec(line) ?? /##\[([\w-]+)([^\]]*)\](.*)$/.exec(line);
      if (stopped !== null) {
        if (found && found[1] === stopped) stopped = null;
        continue;
      }
      if (!found) continue;
      const [, name, about, value] = found;
      commands.push({ job: this.id, name, value });
      if (name === 'stop-commands') stopped = value;
      if (name === 'set-output') given[/name=([\w-]+)/.exec(about)?.[1] ?? ''] = value;
    }
    return given;
  }
  use(step, inputs, env) {
    const name = step.uses.split('@')[0];
    if (name === 'actions/checkout') {
      const target = path.join(this.workspace, inputs.path ?? '.');
      if (inputs.repository) fs.cpSync(plan.action, target, { recursive: true });
      else {
        const git = (...args) => { const r = spawnSync('git', args, { cwd: target, encoding: 'utf8' }); if (r.status !== 0) throw new Error(r.stderr); };
        fs.mkdirSync(target, { recursive: true });
        git('clone', '-q', plan.service, '.');
        const ref = inputs.ref || plan.checkout;
        if (ref) git('checkout', '-q', ref);
      }
      return { ok: true, outputs: {} };
    }
    if (name === 'actions/upload-artifact') {
      if ([...artifacts.values()].some((one) => one.name === inputs.name)) throw new Error(`409: an artifact ${inputs.name} is there already`);
      if (!fs.existsSync(path.resolve(this.workspace, inputs.path)) && inputs['if-no-files-found'] === 'error') throw new Error(`no file to upload in ${inputs.path}`);
      const id = String(100 + artifacts.size), folder = path.join(plan.work, 'artifacts', id);
      const from = path.resolve(this.workspace, inputs.path), hidden = inputs['include-hidden-files'] === 'true';
      if (fs.statSync(from).isFile()) fs.cpSync(from, path.join(folder, path.basename(from)));
      else fs.cpSync(from, folder, { recursive: true, filter: (file) => file === from || hidden || !path.basename(file).startsWith('.') });
      artifacts.set(id, { name: inputs.name, folder });
      return { ok: true, outputs: { 'artifact-id': id } };
    }
    if (name === 'actions/download-artifact') {
      const target = path.resolve(this.workspace, inputs.path);
      const named = inputs['artifact-ids'] !== undefined;
      const ids = named
        ? inputs['artifact-ids'].split(',').map((id) => id.trim()).filter(Boolean)
        : [...artifacts].filter(([, one]) => fits(inputs.pattern ?? '*', one.name)).map(([id]) => id);
      for (const id of ids) {
        const one = artifacts.get(id);
        if (!one) return { ok: false, outputs: {} };
        const flat = inputs['merge-multiple'] === 'true' || (named && ids.length === 1);
        fs.cpSync(one.folder, flat ? target : path.join(target, one.name), { recursive: true });
      }
      return { ok: true, outputs: {} };
    }
    // Nothing is kept between runs here, so nothing is found; what is to be kept has to be there.
    if (name === 'actions/cache/restore') return { ok: true, outputs: { 'cache-hit': '' } };
    if (name === 'actions/cache/save') {
      kept.push({ key: inputs.key, there: fs.existsSync(path.join(this.workspace, inputs.path)) });
      return { ok: true, outputs: {} };
    }
    if (name === 'actions/attest') {
      // As the action: subjects by their SHA-256, the predicate as it is; the certificate and the signature are none.
      const subject = inputs['subject-path']
        ? fs.readdirSync(path.join(this.workspace, path.dirname(inputs['subject-path']))).sort().map((name) => {
          const file = path.join(this.workspace, path.dirname(inputs['subject-path']), name);
          return { name, digest: { sha256: createHash('sha256').update(fs.readFileSync(file)).digest('hex') } };
        })
        : fs.readFileSync(inputs['subject-checksums'], 'utf8').split('\n').filter(Boolean)
          .map((line) => { const [sha256, name] = line.split(/ [ *]/); return { name, digest: { sha256 } }; });
      if (subject.length === 0) return { ok: false, outputs: {} };
      const said = inputs['predicate-path'] ?? inputs['sbom-path'];
      const predicate = said ? JSON.parse(fs.readFileSync(path.resolve(this.workspace, said), 'utf8')) : {};
      const statement = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType: inputs['predicate-type'], predicate };
      const bundle = {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', verificationMaterial: { certificate: { rawBytes: 'AA==' }, tlogEntries: [] },
        dsseEnvelope: { payload: Buffer.from(JSON.stringify(statement)).toString('base64'), payloadType: 'application/vnd.in-toto+json', signatures: [{ sig: 'AA==' }] },
      };
      const file = path.join(this.temp, 'attestation.json');
      fs.writeFileSync(file, JSON.stringify(bundle));
      kept.push({ attested: subject.map((one) => one.name), by: this.id });
      return { ok: true, outputs: { 'bundle-path': file } };
    }
    if (name.startsWith('./')) {
      const folder = path.join(this.workspace, name), action = load(path.join(folder, 'action.yml'));
      const given = Object.fromEntries(Object.entries(action.inputs ?? {}).map(([key, input]) => [key, inputs[key] ?? String(input.default ?? '')]));
      for (const key of Object.keys(inputs)) if (!(key in given)) throw new Error(`the action has no input ${key}`);
      const contexts = { inputs: given, github: { ...this.contexts.github, action_path: folder }, runner: { temp: this.temp }, job: this.contexts.job };
      const ok = this.steps(action.runs.steps, contexts, env, true);
      return { ok, outputs: fillAll(Object.fromEntries(Object.entries(action.outputs ?? {}).map(([k, o]) => [k, o.value])), contexts, ok ? 'success' : 'failure') };
    }
    throw new Error(`no such action here: ${step.uses}`);
  }
}

const github = {
  event: plan.event ?? {}, run_id: '1', run_attempt: attempt, repository: plan.repository ?? 'acme/app', token: plan.token ?? 'none',
  event_name: plan.event_name ?? 'workflow_dispatch', ref: 'refs/heads/main',
};
const job = { status: 'success', workflow_repository: 'plasma/orchestrator-action', workflow_sha: '0'.repeat(40) };
const all = {};

// What a job may: its own permissions, as far as those of the job that called its workflow go.
const RANK = { none: 0, read: 1, write: 2 };
function allowed(own, above) {
  if (above === null) return own;
  const least = ([name, level]) => [name, RANK[level] <= RANK[above[name] ?? 'none'] ? level : above[name] ?? 'none'];
  return Object.fromEntries(Object.entries(own).map(least));
}

function run(file, given, secrets, prefix, above) {
  const workflow = load(path.join(plan.root, '.github/workflows', file));
  const start = workflow.on.workflow_call ?? workflow.on.workflow_dispatch ?? {}, known = start.inputs ?? {};
  for (const key of Object.keys(given)) if (!(key in known)) throw new Error(`${file} has no input ${key}`);
  for (const [key, input] of Object.entries(known)) if (input.required && (given[key] ?? '') === '') throw new Error(`${file} has to be given ${key}`);
  const inputs = Object.fromEntries(Object.entries(known).map(([key, input]) => [key, given[key] ?? input.default ?? '']));
  const results = {};
  for (const [id, spec] of Object.entries(workflow.jobs)) {
    const needs = Object.fromEntries([spec.needs ?? []].flat().map((name) => [name, results[name]]));
    for (const [name, need] of Object.entries(needs)) if (!need) throw new Error(`${id} needs ${name}, which does not come before it`);
    const ends = Object.values(needs).map((need) => need.result);
    const status = ends.includes('cancelled') ? 'cancelled' : ends.some((end) => end !== 'success') ? 'failure' : 'success';
    const contexts = { github, inputs, needs, secrets, vars: {} };
    const may = allowed(spec.permissions ?? workflow.permissions ?? {}, above);
    results[id] = spread(workflow, prefix + id, id, spec, contexts, status, may);
    all[prefix + id] = results[id];
  }
  const jobs = Object.fromEntries(Object.entries(results).map(([id, end]) => [id, { result: end.result, outputs: end.outputs }]));
  const outputs = Object.fromEntries(Object.entries(start.outputs ?? {}).map(([key, output]) => [key, fill(output.value, { jobs, inputs, github }, 'success')]));
  return { result: Object.values(results).some((end) => end.result === 'failure' || end.result === 'cancelled') ? 'failure' : 'success', outputs };
}

// A matrix: every job of it, one after the other. The last that sets an output wins, as GitHub has it.
function legs(matrix, contexts) {
  const value = (item) => (typeof item === 'string' && item.includes('${{') ? JSON.parse(JSON.stringify(plain(evaluate(item.trim().slice(3, -2).trim(), contexts, 'success')))) : item);
  const { include, ...lists } = matrix;
  let found = Object.keys(lists).length ? [{}] : [];
  for (const [key, list] of Object.entries(lists)) found = found.flatMap((one) => value(list).map((item) => ({ ...one, [key]: item })));
  return [...found, ...(include ?? [])];
}
const plain = (value) => JSON.parse(JSON.stringify(value, data.replacer));

function spread(workflow, id, short, spec, contexts, status, may) {
  if (!spec.strategy?.matrix || plan.ends) return one(workflow, id, short, spec, contexts, status, may);
  if (!condition(spec.if, contexts, status)) return { result: 'skipped', outputs: {} };
  const whole = { result: 'success', outputs: {} };
  legs(spec.strategy.matrix, contexts).forEach((matrix, at) => {
    const end = one(workflow, `${id}/${at}`, short, spec, { ...contexts, matrix, strategy: { 'job-index': at } }, status, may);
    all[`${id}/${at}`] = end;
    if (end.result !== 'success') whole.result = end.result;
    for (const [key, text] of Object.entries(end.outputs)) if (text !== '') whole.outputs[key] = text;
  });
  return whole;
}

function one(workflow, id, short, spec, contexts, status, may) {
  if (!condition(spec.if, contexts, status)) return { result: 'skipped', outputs: {} };
  if (plan.ends && short !== 'result') return { result: 'success', outputs: { exit: '0', part: '1', decision: 'allow', 'run-id': 'r' }, ...plan.ends[short] };
  if (spec.uses) {
    const handed = Object.fromEntries(Object.entries(fillAll(spec.with, contexts, 'success')));
    const secrets = Object.fromEntries(Object.entries(fillAll(spec.secrets, contexts, 'success')).filter(([, value]) => value !== ''));
    return run(path.basename(spec.uses), handed, secrets, `${id}/`, may);
  }
  const token = plan.token ? plan.token.slice(0, -4) + String(1000 + tokens.length) : 'none';
  tokens.push({ job: id, token, may });
  const own = { ...contexts, github: { ...contexts.github, token } };
  const runner = new Job(id, { ...own, job });
  if (plan.minute && spec['timeout-minutes']) runner.until = Date.now() + spec['timeout-minutes'] * plan.minute;
  const known = { ...own, job, runner: { temp: runner.temp }, env: {} };
  const ok = runner.steps(spec.steps, known, fillAll({ ...workflow.env, ...spec.env }, known, 'success'), false);
  const end = runner.late ? 'cancelled' : ok ? 'success' : 'failure';
  return { result: end, outputs: fillAll(spec.outputs, known, ok ? 'success' : 'failure') };
}

const end = run(plan.workflow, plan.inputs ?? {}, plan.secrets ?? {}, '', null);
console.log(JSON.stringify({
  jobs: all, order: Object.keys(all), end, log, kept, artifacts: [...artifacts.entries()].map(([id, artifact]) => ({ id, ...artifact })), tokens, scripts, commands,
}));
