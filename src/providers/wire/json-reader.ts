export { JsonArrayReader, type JsonStreamOptions, type JsonStreamReading, NdjsonReader } from './json-streams.js';
export { JsonReader, type JsonReaderOptions, type JsonReading } from './json-text.js';
