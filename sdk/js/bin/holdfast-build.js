#!/usr/bin/env node
import { main } from "../builder/main.js";

process.exitCode = await main(process.argv.slice(2));
