// Package onepassword speaks the 1Password Events Reporting API as a client:
// it reads tokens, asks for pages and says in plain words what went wrong.
//
// It keeps no state between calls beyond its connections: where a feed stands,
// when to ask again and what to do with the answers is for package pollers.
//
// What it promises:
//   - a Token never prints, whatever formats it, and no error carries it;
//   - the token goes only to one of the four hosts 1Password documents, or to
//     the base URL that the configuration names, and redirects are not followed;
//   - every answer is bounded in size and in time;
//   - the bytes of each record are handed on as they came.
//
// Facts about the API are those of its reference (events-api at
// developer.1password.com) unless a comment names another source.
package onepassword
