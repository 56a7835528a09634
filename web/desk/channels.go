package desk

import (
	"context"
	"net/http"
	"strings"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/web/ui"
)

// channelsPage is what a merchant is connected to, and how to connect more.
type channelsPage struct {
	Platforms []platformCard
}

// platformCard is one platform.
type platformCard struct {
	Title    string
	About    string
	Buttons  []connectButton
	Accounts []accountRow
	Channels []knownChannel
	Rooms    []roomChoice // Discord: channels to choose from
	RoomsBad string
}

// connectButton begins a login; Code offers the way by a code beside it.
type connectButton struct {
	Name, Text, Needs string
	Code              bool
}

type accountRow struct{ Platform, ID, Purpose, Name, For string }

type knownChannel struct {
	channelRow
	Value    string
	Measured bool
}

type roomChoice struct{ Value, Text string }

func (d *Desk) channels(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	accounts, err := d.DB.Accounts(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	known, err := d.DB.Channels(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	states, err := d.states(r.Context(), v)
	if err != nil {
		return err
	}
	var p channelsPage
	for _, c := range []struct {
		platform chat.Platform
		about    string
		buttons  []connectButton
	}{
		{
			chat.Twitch, "Two logins: the account that speaks for you (a bot of your own, or yourself), and your channel, which lets it in.",
			[]connectButton{{Name: "twitch-bot", Text: "Connect the bot"}, {Name: "twitch-channel", Text: "Connect your channel"}},
		},
		{chat.YouTube, "Your channel's live chat is read while a show wants it. Answers come from your channel.", []connectButton{{Name: "youtube", Text: "Connect YouTube"}}},
		{chat.Discord, "Invite the bot to your server, then choose the channel it sells in.", []connectButton{{Name: "discord", Text: "Invite the bot"}}},
	} {
		card := platformCard{Title: c.platform.Title(), About: c.about}
		for _, b := range c.buttons {
			b.Needs = "This installation has no login for " + card.Title + "."
			if x, ok := d.Connects[b.Name]; ok {
				b.Needs, b.Code = x.Needs, x.Code != nil
			}
			card.Buttons = append(card.Buttons, b)
		}
		for _, a := range accounts {
			if a.Platform == c.platform {
				row := accountRow{string(a.Platform), a.ID, a.Purpose, a.Name, "owner of the channel"}
				if a.Purpose == sqldb.BotAccount {
					row.For = "hears and speaks"
				}
				card.Accounts = append(card.Accounts, row)
			}
		}
		for i := range known {
			if known[i].Platform == c.platform {
				card.Channels = append(card.Channels, channelKnown(&known[i], states))
			}
		}
		if c.platform == chat.Discord && d.Rooms != nil {
			d.rooms(r.Context(), v, &card, known)
		}
		p.Platforms = append(p.Platforms, card)
	}
	return d.render(w, r, v, "channels", "Channels", ui.Frame{}, p)
}

// states are the channels' states as measured in the shows that are not over.
func (d *Desk) states(ctx context.Context, v *Visitor) (map[chat.Channel]live.ChannelState, error) {
	shows, err := d.Hub.Shows(ctx, v.Merchant.ID)
	if err != nil {
		return nil, err
	}
	out := map[chat.Channel]live.ChannelState{}
	for i := range shows {
		if shows[i].State == commerce.ShowEnded {
			continue
		}
		p, err := d.Hub.Page(ctx, v.Merchant.ID, shows[i].ID)
		if err != nil {
			return nil, err
		}
		for _, c := range p.Channels {
			out[c.Channel] = c
		}
	}
	return out, nil
}

func channelKnown(c *sqldb.Channel, states map[chat.Channel]live.ChannelState) knownChannel {
	k := knownChannel{Value: c.String()}
	if s, ok := states[c.Channel]; ok {
		k.channelRow, k.Measured = channelOf(&s, map[chat.Channel]string{c.Channel: c.Name}), true
		return k
	}
	k.Name, k.Platform = c.Name, c.Platform.Title()
	if k.Name == "" {
		k.Name = c.ID
	}
	return k
}

// rooms offers the Discord channels that are not connected yet.
func (d *Desk) rooms(ctx context.Context, v *Visitor, card *platformCard, known []sqldb.Channel) {
	all, err := d.Rooms(ctx, v.Merchant.ID)
	if err != nil {
		d.Log.WarnContext(ctx, "Discord's channels cannot be listed", "err", err)
		card.RoomsBad = "Discord did not tell the bot's channels just now. Load this page again."
		return
	}
next:
	for _, c := range all {
		for i := range known {
			if known[i].Channel == c.Channel {
				continue next
			}
		}
		card.Rooms = append(card.Rooms, roomChoice{c.String(), c.Name})
	}
}

// addRoom connects a Discord channel that the bot sees.
func (d *Desk) addRoom(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	if d.Rooms == nil {
		return live.ErrNotFound
	}
	all, err := d.Rooms(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.String() == r.PostFormValue("channel") {
			if err := d.DB.PutChannel(r.Context(), v.Merchant.ID, c); err != nil {
				return err
			}
			return d.reconnect(w, r, v, "/channels?said=added")
		}
	}
	return ui.Problem(http.StatusConflict, "The bot does not see that channel. Let it in, then load this page again.")
}

// dropChannel forgets a channel. A live show keeps it.
func (d *Desk) dropChannel(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	c, err := chat.ParseChannel(r.PostFormValue("channel"))
	if err != nil {
		return ui.Problem(http.StatusBadRequest, "Which channel is meant?")
	}
	shows, err := d.Hub.Shows(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	for i := range shows {
		if shows[i].State != commerce.ShowLive {
			continue
		}
		for _, x := range shows[i].Channels {
			if x == c {
				return ui.Problem(http.StatusConflict, "“"+shows[i].Title+"” is live in this channel. End the show first.")
			}
		}
	}
	if err := d.DB.DropChannel(r.Context(), v.Merchant.ID, c); err != nil {
		return err
	}
	return d.reconnect(w, r, v, "/channels?said=dropped")
}

// dropAccount forgets a login and its tokens.
func (d *Desk) dropAccount(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	platform, id, purpose := chat.Platform(r.PostFormValue("platform")), r.PostFormValue("id"), r.PostFormValue("purpose")
	if id == "" || strings.TrimSpace(purpose) == "" {
		return ui.Problem(http.StatusBadRequest, "Which account is meant?")
	}
	if err := d.DB.DropAccount(r.Context(), v.Merchant.ID, platform, id, purpose); err != nil {
		return err
	}
	return d.reconnect(w, r, v, "/channels?said=dropped")
}

// reconnect makes the merchant's connections anew.
func (d *Desk) reconnect(w http.ResponseWriter, r *http.Request, v *Visitor, to string) error {
	if err := d.Hub.Serve(r.Context(), v.Merchant.ID); err != nil {
		return err
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
