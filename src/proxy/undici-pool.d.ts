/** The one part of undici in use, without the rest of the package: types are those of the package's own `Pool`. */
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';

  export default Pool;
}
