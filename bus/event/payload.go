package event

import (
	"fmt"
	"time"

	"github.com/goccy/go-json"
)

// The shapes below are the API's own objects (v1 and v2), field by field as
// the Events API reference of 1Password names them. Everything but uuid and
// timestamp is optional there, so a missing or null field is the zero value.

// SigninAttempt is an object of the signinattempts feed.
type SigninAttempt struct {
	UUID        string    `json:"uuid"`
	SessionUUID string    `json:"session_uuid"`
	Timestamp   time.Time `json:"timestamp"`
	Category    string    `json:"category"`
	Type        string    `json:"type"`
	Country     string    `json:"country"`
	Details     *struct {
		Value string `json:"value"`
	} `json:"details"`
	TargetUser  APIUser     `json:"target_user"`
	Client      APIClient   `json:"client"`
	Location    APILocation `json:"location"`
	AccountUUID string      `json:"account_uuid"`
}

// ItemUsage is an object of the itemusages feed.
type ItemUsage struct {
	UUID        string      `json:"uuid"`
	Timestamp   time.Time   `json:"timestamp"`
	UsedVersion int64       `json:"used_version"`
	VaultUUID   string      `json:"vault_uuid"`
	ItemUUID    string      `json:"item_uuid"`
	Action      string      `json:"action"`
	User        APIUser     `json:"user"`
	Client      APIClient   `json:"client"`
	Location    APILocation `json:"location"`
	AccountUUID string      `json:"account_uuid"`
}

// AuditEvent is an object of the auditevents feed.
type AuditEvent struct {
	UUID             string      `json:"uuid"`
	Timestamp        time.Time   `json:"timestamp"`
	ActorUUID        string      `json:"actor_uuid"`
	ActorDetails     APIUser     `json:"actor_details"`
	ActorType        string      `json:"actor_type"`
	ActorAccountUUID string      `json:"actor_account_uuid"`
	AccountUUID      string      `json:"account_uuid"`
	Action           string      `json:"action"`
	ObjectType       string      `json:"object_type"`
	ObjectUUID       string      `json:"object_uuid"`
	ObjectDetails    APIUser     `json:"object_details"`
	AuxID            int64       `json:"aux_id"`
	AuxUUID          string      `json:"aux_uuid"`
	AuxDetails       APIUser     `json:"aux_details"`
	AuxInfo          string      `json:"aux_info"`
	Session          APISession  `json:"session"`
	Location         APILocation `json:"location"`
}

// APIUser is target_user, user, actor_details, object_details or aux_details.
type APIUser struct {
	UUID            string `json:"uuid"`
	Name            string `json:"name"`
	Email           string `json:"email"`
	UserType        string `json:"user_type"`
	UserAccountUUID string `json:"user_account_uuid"`
}

// APIClient is the client object of sign-in attempts and item usages.
type APIClient struct {
	AppName         string `json:"app_name"`
	AppVersion      string `json:"app_version"`
	PlatformName    string `json:"platform_name"`
	PlatformVersion string `json:"platform_version"`
	OSName          string `json:"os_name"`
	OSVersion       string `json:"os_version"`
	IPAddress       string `json:"ip_address"`
}

// APISession is the session object of audit events.
type APISession struct {
	UUID       string    `json:"uuid"`
	LoginTime  time.Time `json:"login_time"`
	DeviceUUID string    `json:"device_uuid"`
	IP         string    `json:"ip"`
}

// APILocation is the location object; country is seen both as ISO code and as
// full English name.
type APILocation struct {
	Country   string   `json:"country"`
	Region    string   `json:"region"`
	City      string   `json:"city"`
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
}

// Head is what every object of every feed must have.
type Head struct {
	UUID      string    `json:"uuid"`
	Timestamp time.Time `json:"timestamp"`
	// AccountUUID is optional: v2 only.
	AccountUUID string `json:"account_uuid"`
	// Entity is the person the object is about: target_user, user or actor.
	Entity string `json:"-"`
}

// MaxUUID is the longest id of an event, in bytes; 1Password's have 26.
const MaxUUID = 128

// ReadHead reads an API object of the feed whole, so that what passes here can
// be read by rules later, and returns what an envelope needs of it.
// The error says which field is missing or malformed.
func ReadHead(feed Feed, raw []byte) (Head, error) {
	var h Head
	switch feed {
	case FeedSigninAttempts:
		var p SigninAttempt
		if err := json.Unmarshal(raw, &p); err != nil {
			return Head{}, fmt.Errorf("%s object: %w", feed, err)
		}
		h = p.head()
	case FeedItemUsages:
		var p ItemUsage
		if err := json.Unmarshal(raw, &p); err != nil {
			return Head{}, fmt.Errorf("%s object: %w", feed, err)
		}
		h = p.head()
	case FeedAuditEvents:
		var p AuditEvent
		if err := json.Unmarshal(raw, &p); err != nil {
			return Head{}, fmt.Errorf("%s object: %w", feed, err)
		}
		h = p.head()
	default:
		return Head{}, fmt.Errorf("unknown feed %q", feed)
	}
	return h.checked(feed)
}

func (p *SigninAttempt) head() Head {
	return Head{UUID: p.UUID, Timestamp: p.Timestamp, AccountUUID: p.AccountUUID, Entity: p.TargetUser.UUID}
}

func (p *ItemUsage) head() Head {
	return Head{UUID: p.UUID, Timestamp: p.Timestamp, AccountUUID: p.AccountUUID, Entity: p.User.UUID}
}

func (p *AuditEvent) head() Head {
	return Head{UUID: p.UUID, Timestamp: p.Timestamp, AccountUUID: p.AccountUUID, Entity: firstOf(p.ActorDetails.UUID, p.ActorUUID)}
}

func (h Head) checked(feed Feed) (Head, error) {
	switch {
	case h.UUID == "":
		return Head{}, fmt.Errorf("%s object: no uuid", feed)
	case len(h.UUID) > MaxUUID:
		return Head{}, fmt.Errorf("%s object: uuid of %d bytes, want at most %d", feed, len(h.UUID), MaxUUID)
	case h.Timestamp.IsZero():
		return Head{}, fmt.Errorf("%s object %s: no timestamp", feed, h.UUID)
	}
	h.Timestamp = h.Timestamp.UTC()
	return h, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
