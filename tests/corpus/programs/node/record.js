// Log the shared events through Node's logging libraries to a console and as the documents that would be shipped.
// Usage: node record.js OUTPUT_FOLDER; writes <format>/events.jsonl with one row per event.
'use strict';
const fs = require('fs');
const path = require('path');
const { Writable } = require('stream');
const pino = require('pino');
const pretty = require('pino-pretty');
const winston = require('winston');
const bunyan = require('bunyan');
const { ecsFormat: ecsPino } = require('@elastic/ecs-pino-format');
const { ecsFormat: ecsWinston } = require('@elastic/ecs-winston-format');

const events = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'events.json'), 'utf8'));

function settle(kind) {
  if (kind === 'plain') return new TypeError("bad amount: 'N/A'");
  return new Error('settlement failed', { cause: new RangeError('no ledger') });
}

class Kept extends Writable {
  constructor() { super({ decodeStrings: false }); this.text = ''; }
  _write(chunk, encoding, done) { this.text += chunk; done(); }
  take() { const text = this.text; this.text = ''; return text.replace(/\n$/, ''); }
}

const filled = (event) => event.template.replace(/\{(\w+)\}/g, (_, name) => String(event.properties[name]));
const constant = (event) => event.template.replace(/\s*\{\w+\}/g, '');
const console_ = new Kept();
const shipped = new Kept();

function twoPinos(consoleStream) {
  const one = pino({ level: 'debug' }, consoleStream);
  const other = pino({ ...ecsPino(), level: 'debug' }, shipped);
  return (event) => {
    const fields = { ...event.properties, ...(event.exception ? { err: settle(event.exception) } : {}) };
    one[event.level](fields, constant(event));
    other[event.level](fields, constant(event));
  };
}

function oneWinston(format) {
  const logger = winston.createLogger({
    level: 'debug',
    transports: [
      new winston.transports.Stream({ stream: console_, format }),
      new winston.transports.Stream({ stream: shipped, format: ecsWinston({ convertErr: true }) }),
    ],
  });
  return (event) => {
    const level = event.level;
    const fields = { ...event.properties, ...(event.exception ? { err: settle(event.exception) } : {}) };
    logger.log(level, filled(event), fields);
  };
}

function oneBunyan() {
  const logger = bunyan.createLogger({ name: 'shop', level: 'debug', streams: [{ stream: console_, level: 'debug' }], serializers: bunyan.stdSerializers });
  const other = pino({ ...ecsPino(), level: 'debug' }, shipped);
  return (event) => {
    const fields = { ...event.properties, ...(event.exception ? { err: settle(event.exception) } : {}) };
    logger[event.level](fields, constant(event));
    other[event.level](fields, constant(event));
  };
}

const { combine, timestamp, printf, colorize, simple, errors, json } = winston.format;
const line = printf((one) => `${one.timestamp} [${one.level}]: ${one.message}${one.err ? '\n' + one.err.stack : ''}`);
const formats = {
  pino: () => twoPinos(console_),
  pino_pretty: () => twoPinos(pretty({ sync: true, colorize: false, destination: console_ })),
  pino_pretty_coloured: () => twoPinos(pretty({ sync: true, colorize: true, singleLine: true, destination: console_ })),
  winston_line: () => oneWinston(combine(timestamp(), line)),
  winston_coloured: () => oneWinston(combine(colorize(), timestamp({ format: 'HH:mm:ss' }), line)),
  winston_simple: () => oneWinston(simple()),
  winston_json: () => oneWinston(combine(errors({ stack: true }), timestamp(), json())),
  bunyan: oneBunyan,
};

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function main() {
  for (const [name, make] of Object.entries(formats)) {
    const log = make();
    const rows = [];
    for (const event of events) {
      const time = (BigInt(Date.now()) * 1000000n).toString();
      log(event.level === 'fatal' ? { ...event, level: 'error' } : event);
      await pause(6);
      const document = JSON.parse(shipped.take());
      rows.push(`{"time":${time},` + JSON.stringify({ stream: 'stdout', console: console_.take(), document, ...event }).slice(1));
    }
    rows.push(`{"time":${BigInt(Date.now()) * 1000000n},` + JSON.stringify({ stream: 'stderr', console: settle('plain').stack, document: null }).slice(1));
    const folder = path.join(process.argv[2], name);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'events.jsonl'), rows.join('\n') + '\n');
  }
}
main();
