// Package simulator is a 1Password Events API to test clients and detections
// against: a server that answers as the real one is known to, over accounts in
// which people live and attackers try their luck.
//
//	World      one account: people with habits, ordinary life, stories of attack,
//	           and the alerts that each story must raise. A pure function of its seed.
//	Simulator  the API over one or more worlds: pages by cursor, tokens, rate
//	           limits, faults; a small control interface under /simulator/.
//	Clock      the simulated time; it can run faster than the machine's.
//
// What the API does is taken from 1Password's public documentation and from
// the source and test data of public clients; where these are silent, Options
// choose between the likely behaviours. The world's data are invented: names,
// addresses from ranges that belong to nobody, no real account.
//
// The package knows nothing of the engine it tests: the ground truth
// (Expected) is written down by the stories, not computed by rules. Ordinary
// life keeps out of the stories' way and below every threshold, so that the
// expected alerts are all there are.
package simulator
