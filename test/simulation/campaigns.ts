/** What the bundle of the simulation offers. Callers: `simulation-bundle.mjs`. Runs on: the main thread. */
export { campaign } from './campaign.js';
export { crashCampaign } from './crash-campaign.js';
export { threadCampaign } from './thread-campaign.js';
