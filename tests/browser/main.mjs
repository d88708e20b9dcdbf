// node main.mjs full|empty|prefix URL SEED.json [only]: those cases against a running server.
import fs from "node:fs";
import { cases, empty_cases } from "./cases.mjs";
import { run_cases } from "./harness.mjs";
import { prefix_cases } from "./prefix_cases.mjs";

const [which, base, seed_file, only] = process.argv.slice(2);
const seed = JSON.parse(fs.readFileSync(seed_file, "utf8"));
const counts = await run_cases({ empty: empty_cases, full: cases, prefix: prefix_cases }[which], { base, seed, only });
fs.writeFileSync(`${seed_file}.counts`, JSON.stringify(counts));
process.exit(counts.failed ? 1 : 0);
