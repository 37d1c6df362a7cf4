package pollers

import (
	"context"
	"fmt"
	"time"

	"watchword/pollers/onepassword"
)

// misfit is a token that works but is not the one this feed needs.
type misfit struct{ text string }

func (m *misfit) Error() string { return m.text }

// ask fetches a page with the token in use, within the token's allowance of
// which it leaves spare requests to others.
func (f *feed) ask(ctx context.Context, from onepassword.From, spare int) (onepassword.Page, pass, error) {
	p, err := f.account.use(ctx)
	if err != nil {
		return onepassword.Page{}, p, err
	}
	token := p.client.Token()
	switch {
	case f.marker.Account != "" && p.id != "" && p.id != f.marker.Account:
		return onepassword.Page{}, p, &misfit{fmt.Sprintf(
			"the token is of the account %s, but this source has read the account %s: put the right token into %s, or make a source of its own for that account",
			p.id, f.marker.Account, f.source.Token)}
	case !p.covers(f.name):
		return onepassword.Page{}, p, &misfit{fmt.Sprintf(
			"the token may not read %s: make a new one with it in Integrations → Events Reporting and put it into %s, or leave the feed out of the source's feeds",
			f.name, f.source.Token)}
	}
	for {
		wait := f.account.limits.take(spare)
		if wait == 0 {
			break
		}
		f.show("waiting for the rate limit until " + time.Now().Add(wait).Format(time.TimeOnly))
		if err := sleep(ctx, wait); err != nil {
			return onepassword.Page{}, p, err
		}
	}
	page, err := p.client.Page(ctx, f.name, f.version, from)
	switch onepassword.ClassOf(err) {
	case "":
		if err == nil {
			f.account.accept(token.Fingerprint())
		}
	case onepassword.ClassUnauthorized:
		f.account.refuse(token.Fingerprint())
	}
	return page, p, err
}
