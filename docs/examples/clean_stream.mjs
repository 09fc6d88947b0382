// `cleaner` as a child process that stays: a record in, the same record out, one model for all.
//
//     node clean_stream.mjs < articles.jsonl > clean.jsonl
//     node clean_stream.mjs --measure 200 < articles.jsonl   # round trips, in milliseconds
import { spawn } from "node:child_process";

class Cleaner {
  #child;
  #waiting = []; // in the order of the records that were sent, which is that of the answers
  #ended;
  #error; // why there will be no more answers

  constructor(options = []) {
    // A record that cannot be used is answered with itself. Left out ("skip"), it would have no
    // answer, and those after it would be taken for others'.
    const args = ["--format", "jsonl", "--on-error", "keep", ...options, "-"];
    this.#child = spawn("cleaner", args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#ended = new Promise((resolve) => {
      this.#child.on("error", (error) => this.#fail(error, resolve));
      this.#child.on("close", (status) => {
        this.#fail(new Error(`cleaner ended with status ${status}; see its message above`), () => {});
        resolve(status);
      });
    });
    this.#child.stdin.on("error", () => {}); // the child has ended: "close" says so
    this.#read().catch((error) => this.#fail(error, () => {}));
  }

  async #read() {
    for await (const answer of lines(this.#child.stdout)) this.#waiting.shift().resolve(answer);
  }

  #fail(error, done) {
    this.#error ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    done(1);
  }

  /**
   * The record with its text cleaned: a line of JSON, as is the record. Nothing else in it changes,
   * as it would if it were parsed and written again: JavaScript has neither 1.0 nor large integers.
   */
  clean(record) {
    if (this.#error) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin.write(record + "\n");
    });
  }

  /** Let the child end; gives its exit status. */
  close() {
    this.#child.stdin.end();
    return this.#ended;
  }
}

// Cut at line feeds alone, as the child does it; node:readline cuts at carriage returns as well.
async function* lines(stream) {
  let rest = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop();
    yield* parts;
  }
  if (rest) yield rest;
}

async function* records() {
  for await (const line of lines(process.stdin)) {
    if (line.trim()) yield line;
  }
}

async function measure(cleaner, times) {
  if (!(Number.isInteger(times) && times > 0)) {
    throw new Error("--measure needs the number of round trips, 1 or more");
  }
  const all = [];
  for await (const record of records()) all.push(record);
  if (all.length === 0) throw new Error("standard input has no record to measure with");
  await cleaner.clean(all[0]); // the model is loaded before the first answer
  const milliseconds = [];
  for (let at = 0; at < times; at++) {
    const start = process.hrtime.bigint();
    await cleaner.clean(all[at % all.length]);
    milliseconds.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  milliseconds.sort((a, b) => a - b);
  const of = (share) => milliseconds[Math.floor(share * (times - 1))].toFixed(1);
  console.log(`round trips: ${times}, median ${of(0.5)} ms, 95 of 100 within ${of(0.95)} ms`);
}

const cleaner = new Cleaner();
const [flag, times] = process.argv.slice(2);
try {
  if (flag === "--measure") {
    await measure(cleaner, Number(times));
  } else {
    for await (const record of records()) console.log(await cleaner.clean(record));
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
process.exitCode = (await cleaner.close()) || process.exitCode;
