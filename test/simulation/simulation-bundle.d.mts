/** Types of the bundle's helper. */
import type { campaign } from './campaign.js';
import type { crashCampaign } from './crash-campaign.js';
import type { threadCampaign } from './thread-campaign.js';

/** What the bundle offers. */
export interface Campaigns {
  readonly campaign: typeof campaign;
  readonly crashCampaign: typeof crashCampaign;
  readonly threadCampaign: typeof threadCampaign;
}

export function withSimulation<T>(action: (campaigns: Campaigns) => Promise<T>): Promise<T>;
