// Holds the file locked until its stdin ends: node hold-lock.mjs PATH
import BetterSqlite3 from 'better-sqlite3';

const db = new BetterSqlite3(process.argv[2]);
db.exec('BEGIN EXCLUSIVE');
process.stdout.write('locked\n');
process.stdin.resume();
process.stdin.on('end', () => {
  db.exec('COMMIT');
  db.close();
});
