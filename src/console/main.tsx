/**
 * Puts the console into the page. Callers: `index.html`. Runs on: the page's thread.
 */
import { render } from 'preact';
import { App } from './app.js';
import { Live, type TokenStore } from './live.js';

const TOKEN_KEY = 'millrace.token';

const tokens: TokenStore = {
  get: () => sessionStorage.getItem(TOKEN_KEY),
  set: (token) => sessionStorage.setItem(TOKEN_KEY, token),
};
// The server is where the page is, behind whatever prefix.
const live = new Live(new URL('.', location.href).href, tokens);
const place = document.getElementById('app');
if (place !== null) render(<App live={live} />, place);
