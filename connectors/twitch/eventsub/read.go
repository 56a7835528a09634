package eventsub

import (
	"encoding/json"
	"strconv"
	"time"

	"hawker/internal/chat"
)

// The subscriptions that Read understands (Twitch docs, "EventSub Subscription Types").
const (
	Follow     = "channel.follow" // version 2, all others 1
	Redemption = "channel.channel_points_custom_reward_redemption.add"
	PowerUp    = "channel.custom_power_up_redemption.add"
	Online     = "stream.online"
	Offline    = "stream.offline"
	AdBreak    = "channel.ad_break.begin"
	PollEnd    = "channel.poll.end"
)

// Version is the version of a subscription that Read understands.
func Version(typ string) string {
	if typ == Follow {
		return "2"
	}
	return "1"
}

// Read says what a notification tells, in the words of all chats; false when it tells nothing of interest or of sense. The
// same happening has the same ID however often it is told, but for a stream's end, which Twitch gives no id of its own.
//
// Subscriptions, gifts, raids and cheers are not read here: the chat server tells them with an id of their own and without
// any permission, and a happening told on two roads would be counted twice.
func Read(n Notification) (chat.Event, bool) {
	switch n.Type {
	case Follow:
		return follow(n)
	case Redemption, PowerUp:
		return redeemed(n)
	case Online, Offline:
		return stream(n)
	case AdBreak:
		return adBreak(n)
	case PollEnd:
		return poll(n)
	}
	return chat.Event{}, false
}

// who are the fields of most events that name the channel and the viewer.
type who struct {
	Channel string `json:"broadcaster_user_id"`
	UserID  string `json:"user_id"`
	Login   string `json:"user_login"`
	Name    string `json:"user_name"`
}

// event makes an event of one viewer in one channel; id distinguishes it from others of its kind.
func (w who) event(k chat.Kind, id, at string, n Notification) chat.Event {
	e := chat.Event{Kind: k, Channel: chat.Channel{Platform: chat.Twitch, ID: chat.Clean(w.Channel)}, ID: k.String() + ":" + chat.Clean(id), At: n.At}
	if t, err := time.Parse(time.RFC3339Nano, at); err == nil && t.After(n.At.Add(-24*time.Hour)) && t.Before(n.At.Add(time.Hour)) {
		e.At = t
	}
	if w.UserID != "" {
		e.Viewer = chat.Viewer{Platform: chat.Twitch, ID: chat.Clean(w.UserID), Name: chat.Clean(w.Name)}
		if e.Viewer.Name == "" {
			e.Viewer.Name = chat.Clean(w.Login)
		}
	}
	if w.UserID == w.Channel {
		e.Roles = chat.Owner
	}
	return e
}

func follow(n Notification) (chat.Event, bool) {
	var v struct {
		who
		At string `json:"followed_at"`
	}
	if json.Unmarshal(n.Event, &v) != nil || v.Channel == "" || v.UserID == "" {
		return chat.Event{}, false
	}
	return v.event(chat.Followed, v.Channel+":"+v.UserID+":"+v.At, v.At, n), true
}

// redeemed reads what a viewer bought with channel points, and the custom Power-up, which is the same paid with Bits. Twitch
// fulfils and refunds only the former.
func redeemed(n Notification) (chat.Event, bool) {
	type item struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	var v struct {
		who
		ID      string `json:"id"`
		Input   string `json:"user_input"`
		At      string `json:"redeemed_at"`
		Reward  item   `json:"reward"`
		PowerUp item   `json:"custom_power_up"`
	}
	if json.Unmarshal(n.Event, &v) != nil || v.Channel == "" || v.UserID == "" || v.ID == "" {
		return chat.Event{}, false
	}
	what := v.Reward
	if n.Type == PowerUp {
		what = v.PowerUp
	}
	if what.ID == "" {
		return chat.Event{}, false
	}
	e := v.event(chat.Redeemed, v.ID, v.At, n)
	e.Support = chat.Support{
		Title: chat.Clean(what.Title), Text: chat.Clean(v.Input), Reward: chat.Clean(what.ID), Redemption: chat.Clean(v.ID),
	}
	return e, true
}

func stream(n Notification) (chat.Event, bool) {
	var v struct {
		who
		ID      string `json:"id"`
		Type    string `json:"type"`
		Started string `json:"started_at"`
	}
	if json.Unmarshal(n.Event, &v) != nil || v.Channel == "" {
		return chat.Event{}, false
	}
	v.UserID = ""
	if n.Type == Offline {
		return v.event(chat.StreamDown, n.ID, "", n), true
	}
	if v.ID == "" || v.Type != "" && v.Type != "live" { // reruns and watch parties sell nothing
		return chat.Event{}, false
	}
	return v.event(chat.StreamUp, v.ID, v.Started, n), true
}

func adBreak(n Notification) (chat.Event, bool) {
	var v struct {
		who
		// Twitch's page says an integer; its own examples have shown a string.
		Seconds json.RawMessage `json:"duration_seconds"`
		Started string          `json:"started_at"`
	}
	if json.Unmarshal(n.Event, &v) != nil || v.Channel == "" {
		return chat.Event{}, false
	}
	s := string(v.Seconds)
	if q, err := strconv.Unquote(s); err == nil {
		s = q
	}
	seconds, err := strconv.Atoi(s)
	if err != nil || seconds < 1 || seconds > 3600 {
		return chat.Event{}, false
	}
	e := v.event(chat.AdBreak, v.Channel+":"+v.Started, v.Started, n)
	if v.Started == "" {
		e.ID = chat.AdBreak.String() + ":" + n.ID
	}
	e.Support.For = time.Duration(seconds) * time.Second
	return e, true
}

// poll reads a poll's end. A draw has no winner; "archived" tells the same poll once more, when it is taken out of sight.
func poll(n Notification) (chat.Event, bool) {
	var v struct {
		who
		ID      string `json:"id"`
		Title   string `json:"title"`
		Status  string `json:"status"`
		Ended   string `json:"ended_at"`
		Choices []struct {
			Title string `json:"title"`
			Votes int    `json:"votes"`
		} `json:"choices"`
	}
	if json.Unmarshal(n.Event, &v) != nil || v.Channel == "" || v.ID == "" || v.Status == "archived" {
		return chat.Event{}, false
	}
	e := v.event(chat.Polled, v.ID, v.Ended, n)
	e.Support.Title = chat.Clean(v.Title)
	most := 0
	for _, c := range v.Choices {
		switch {
		case c.Votes > most:
			most, e.Support.Text = c.Votes, chat.Clean(c.Title)
		case c.Votes == most:
			e.Support.Text = ""
		}
	}
	return e, true
}
