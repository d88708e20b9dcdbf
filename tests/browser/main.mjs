// node main.mjs full URL SEED.json [only]   or   node main.mjs empty URL SEED.json: the cases against a running server.
import fs from "node:fs";
import { cases, empty_cases } from "./cases.mjs";
import { run_cases } from "./harness.mjs";

const [which, base, seed_file, only] = process.argv.slice(2);
const seed = JSON.parse(fs.readFileSync(seed_file, "utf8"));
const counts = await run_cases(which === "empty" ? empty_cases : cases, { base, seed, only });
fs.writeFileSync(`${seed_file}.counts`, JSON.stringify(counts));
process.exit(counts.failed ? 1 : 0);
