package twitchsim

import (
	"maps"
	"strconv"
	"strings"
)

// tellLine tells a line over EventSub (Twitch docs, "EventSub Reference", "Channel Chat Message Event"); the caller holds s.mu.
func (s *Sim) tellLine(r *room, l Line) {
	s.notify("channel.chat.message", l.Channel, func() map[string]any { return s.chatEvent(r, l) })
}

func (s *Sim) chatEvent(r *room, l Line) map[string]any {
	text := oneLine(l.Text)
	if l.Action {
		text = "\x01ACTION " + text + "\x01"
	}
	e := s.named(l.Channel)
	maps.Copy(e, map[string]any{
		"chatter_user_id": l.User.ID, "chatter_user_login": l.User.Login, "chatter_user_name": l.User.Name, "message_id": l.ID,
		"message":      map[string]any{"text": text, "fragments": []any{map[string]any{"type": "text", "text": text, "cheermote": nil, "emote": nil, "mention": nil}}},
		"message_type": "text", "color": "", "cheer": nil, "reply": nil, "channel_points_custom_reward_id": nil,
		"source_broadcaster_user_id": nil, "source_broadcaster_user_login": nil, "source_broadcaster_user_name": nil, "source_message_id": nil,
		"source_badges": nil, "is_source_only": nil, "badges": s.badgeList(r, l.Channel, l.User.ID),
	})
	if l.Bits > 0 {
		e["cheer"] = map[string]any{"bits": l.Bits}
	}
	if l.ReplyTo != "" {
		e["reply"] = map[string]any{"parent_message_id": l.ReplyTo, "thread_message_id": l.ReplyTo}
	}
	if l.Source != "" {
		e["source_broadcaster_user_id"], e["source_message_id"], e["source_badges"], e["is_source_only"] = l.Source, uuid(), []any{}, false
	}
	return e
}

func (s *Sim) badgeList(r *room, channelID, userID string) []any {
	list := []any{}
	badges, _ := s.badges(r, channelID, userID)
	for b := range strings.SplitSeq(badges, ",") {
		if set, id, ok := strings.Cut(b, "/"); ok {
			list = append(list, map[string]any{"set_id": set, "id": id, "info": ""})
		}
	}
	return list
}

// named are the fields of an event that name the channel.
func (s *Sim) named(channelID string) map[string]any {
	ch := s.users[channelID]
	return map[string]any{"broadcaster_user_id": ch.ID, "broadcaster_user_login": ch.Login, "broadcaster_user_name": ch.Name}
}

// tellGone tells that lines were taken away; the caller holds s.mu.
func (s *Sim) tellGone(typ, channelID string, of User, lineID string) {
	s.notify(typ, channelID, func() map[string]any {
		e := s.named(channelID)
		if of.ID != "" {
			e["target_user_id"], e["target_user_login"], e["target_user_name"] = of.ID, of.Login, of.Name
		}
		if lineID != "" {
			e["message_id"] = lineID
		}
		return e
	})
}

// noticeEvent is a notice over EventSub (Twitch docs, "EventSub Reference", "Channel Chat Notification Event"); the caller holds s.mu.
func (s *Sim) noticeEvent(channelID string, n Notice) map[string]any {
	e := s.named(channelID)
	number := func(key string) int { i, _ := strconv.Atoi(n.Params["msg-param-"+key]); return i }
	prime := n.Params["msg-param-sub-plan"] == "Prime"
	tier := n.Params["msg-param-sub-plan"]
	if prime {
		tier = "1000"
	}
	typ, own := n.Kind, map[string]any(nil)
	switch n.Kind {
	case "sub":
		own = map[string]any{"sub_tier": tier, "is_prime": prime, "duration_months": 1}
	case "resub":
		own = map[string]any{"cumulative_months": number("cumulative-months"), "duration_months": 1, "sub_tier": tier, "is_prime": prime}
	case "subgift":
		typ, own = "sub_gift", map[string]any{"duration_months": 1, "sub_tier": tier, "recipient_user_id": "9001", "community_gift_id": nil}
		if id := n.Params["msg-param-community-gift-id"]; id != "" {
			own["community_gift_id"] = id
		}
	case "submysterygift":
		typ, own = "community_sub_gift", map[string]any{"id": n.Params["msg-param-community-gift-id"], "total": number("mass-gift-count"), "sub_tier": tier}
	case "raid":
		own = map[string]any{"user_id": n.User.ID, "user_name": n.User.Name, "user_login": n.User.Login, "viewer_count": number("viewerCount")}
	}
	maps.Copy(e, map[string]any{
		"chatter_user_id": n.User.ID, "chatter_user_login": n.User.Login, "chatter_user_name": n.User.Name, "chatter_is_anonymous": false, "color": "",
		"badges": s.badgeList(s.room(channelID), channelID, n.User.ID), "system_message": "", "message_id": n.ID, "notice_type": typ,
		"message": map[string]any{"text": oneLine(n.Text), "fragments": []any{}},
	})
	if own != nil {
		e[typ] = own
	}
	return e
}
