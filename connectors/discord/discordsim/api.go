package discordsim

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// fault is an error answer: a status with Discord's code and message (page "Opcodes and Status Codes").
type fault struct {
	status, code int
	message      string
}

func (s *Sim) handler() http.Handler {
	mux := http.NewServeMux()
	bot := func(pattern string, h func(http.ResponseWriter, *http.Request) *fault) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.call(w, r, true, h) })
	}
	open := func(pattern string, h func(http.ResponseWriter, *http.Request) *fault) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.call(w, r, false, h) })
	}
	mux.HandleFunc("GET /{$}", s.gateway)
	mux.HandleFunc("GET /resume/{id}/{$}", s.gateway)
	mux.HandleFunc("GET /oauth2/authorize", s.authorize)
	open("GET /api/v9/gateway", s.gatewayURL)
	bot("GET /api/v9/gateway/bot", s.gatewayURL)
	bot("GET /api/v9/users/@me", s.me)
	bot("GET /api/v9/oauth2/applications/@me", s.application)
	bot("GET /api/v9/applications/@me", s.application)
	bot("GET /api/v9/users/@me/guilds", s.listGuilds)
	bot("GET /api/v9/guilds/{guild}", s.getGuild)
	bot("GET /api/v9/guilds/{guild}/channels", s.listChannels)
	bot("GET /api/v9/guilds/{guild}/members/{user}", s.getMember)
	bot("GET /api/v9/channels/{channel}", s.getChannel)
	bot("POST /api/v9/channels/{channel}/messages", s.postMessage)
	bot("GET /api/v9/channels/{channel}/messages", s.listMessages)
	bot("DELETE /api/v9/channels/{channel}/messages/{message}", s.deleteMessage)
	bot("POST /api/v9/channels/{channel}/messages/{message}/crosspost", s.crosspost)
	bot("GET /api/v9/guilds/{guild}/roles", s.listRoles)
	bot("PATCH /api/v9/guilds/{guild}/members/{user}", s.editMember)
	bot("PUT /api/v9/guilds/{guild}/members/{user}/roles/{role}", s.giveRole)
	bot("DELETE /api/v9/guilds/{guild}/members/{user}/roles/{role}", s.takeRole)
	bot("POST /api/v9/users/@me/channels", s.openPrivate)
	bot("GET /api/v9/applications/{app}/guilds/{guild}/commands", s.listCommands)
	bot("PUT /api/v9/applications/{app}/guilds/{guild}/commands", s.overwriteCommands)
	open("POST /api/v9/interactions/{id}/{token}/callback", s.callback)
	open("GET /api/v9/webhooks/{app}/{token}/messages/@original", s.getOriginal)
	open("PATCH /api/v9/webhooks/{app}/{token}/messages/@original", s.editOriginal)
	open("POST /api/v9/webhooks/{app}/{token}", s.followUp)
	open("POST /api/v9/oauth2/token", s.exchange)
	bot("/api/v9/", func(http.ResponseWriter, *http.Request) *fault { return &fault{404, 0, "404: Not Found"} })
	return s.track(mux)
}

// call does what every route has in common: bad weather, the user agent, the token and the global limit.
func (s *Sim) call(w http.ResponseWriter, r *http.Request, bot bool, h func(http.ResponseWriter, *http.Request) *fault) {
	if s.storm(w, bot) {
		return
	}
	f := s.admit(r, bot)
	if f == nil {
		f = h(w, r)
	}
	if f == nil {
		return
	}
	if f.status == 401 || f.status == 403 {
		s.note(func(t *tally) { t.invalid++ })
	}
	answer(w, f.status, map[string]any{"code": f.code, "message": f.message})
}

// storm answers in place of the route when a verb ordered so, or when the global limit is exceeded. Interactions are
// outside the global limit (page "Rate Limits").
func (s *Sim) storm(w http.ResponseWriter, bot bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	now := time.Now()
	switch {
	case s.weather.breaks > 0 || now.Before(s.weather.down):
		s.weather.breaks = max(0, s.weather.breaks-1)
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, "<html><body><h1>503 Service Unavailable</h1></body></html>")
		return true
	case s.weather.bans > 0:
		s.weather.bans--
		s.tally.invalid++
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Retry-After", seconds(s.weather.globalFor))
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, "<html><body>error code: 1015</body></html>")
		return true
	case bot && s.weather.globals > 0:
		s.weather.globals--
		s.tooMany(w, s.weather.globalFor, true)
		return true
	case bot:
		if _, ok := s.second.take(now, s.cfg.GlobalLimit, time.Second); !ok {
			s.tally.over++
			s.tooMany(w, s.second.until.Sub(now), true)
			return true
		}
	}
	return false
}

// tooMany is a 429. A global one names no Reset-After (as observed).
func (s *Sim) tooMany(w http.ResponseWriter, after time.Duration, global bool) {
	s.tally.invalid++
	h := w.Header()
	h.Set("Retry-After", seconds(after))
	h.Set("X-RateLimit-Scope", "user")
	if global {
		h.Set("X-RateLimit-Global", "true")
		h.Set("X-RateLimit-Scope", "global")
	}
	answer(w, http.StatusTooManyRequests, map[string]any{
		"message": "You are being rate limited.", "retry_after": after.Seconds(), "global": global,
	})
}

func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

func (s *Sim) admit(r *http.Request, bot bool) *fault {
	if !strings.HasPrefix(r.UserAgent(), "DiscordBot (") {
		return &fault{403, 40333, "internal network error"}
	}
	if !bot {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.weather.revoked || r.Header.Get("Authorization") != "Bot "+s.cfg.Token {
		return &fault{401, 0, "401: Unauthorized"}
	}
	return nil
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// body reads a JSON request of at most 1 MiB.
func body(w http.ResponseWriter, r *http.Request, v any) *fault {
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(v) != nil {
		return &fault{400, 50109, "The request body contains invalid JSON."}
	}
	return nil
}

func (s *Sim) gatewayURL(w http.ResponseWriter, r *http.Request) *fault {
	v := map[string]any{"url": "ws://" + r.Host}
	if strings.HasSuffix(r.URL.Path, "/bot") {
		s.mu.Lock()
		left := 1000 - s.tally.identifies
		s.mu.Unlock()
		v["shards"] = 1
		v["session_start_limit"] = map[string]any{"total": 1000, "remaining": max(left, 0), "reset_after": 86_400_000, "max_concurrency": 1}
	}
	answer(w, 200, v)
	return nil
}

func (s *Sim) me(w http.ResponseWriter, _ *http.Request) *fault {
	answer(w, 200, s.bot())
	return nil
}

func (s *Sim) application(w http.ResponseWriter, _ *http.Request) *fault {
	flags := 0 // page "Application Resource", Application Flags
	if !s.cfg.NoMembers {
		flags |= 1 << 15
	}
	if !s.cfg.NoContent {
		flags |= 1 << 19
	}
	answer(w, 200, map[string]any{"id": s.cfg.AppID, "name": s.cfg.BotName, "flags": flags})
	return nil
}

func (s *Sim) listGuilds(w http.ResponseWriter, _ *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []map[string]any{}
	for _, g := range s.guilds {
		out = append(out, map[string]any{"id": g.ID, "name": g.Name, "owner": false, "permissions": strconv.FormatInt(g.Everyone, 10), "features": []string{}})
	}
	answer(w, 200, out)
	return nil
}

func (s *Sim) getGuild(w http.ResponseWriter, r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[r.PathValue("guild")]
	if g == nil {
		return &fault{404, 10004, "Unknown Guild"}
	}
	answer(w, 200, s.guildObject(g))
	return nil
}

func (s *Sim) listChannels(w http.ResponseWriter, r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[r.PathValue("guild")]
	if g == nil {
		return &fault{403, 50001, "Missing Access"}
	}
	answer(w, 200, s.channelObjects(g))
	return nil
}

// getMember knows the bot and those who joined or spoke.
func (s *Sim) getMember(w http.ResponseWriter, r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[r.PathValue("guild")]
	if g == nil {
		return &fault{403, 50001, "Missing Access"}
	}
	if r.PathValue("user") == s.cfg.AppID {
		answer(w, 200, s.botMember(g))
		return nil
	}
	v, ok := g.members[r.PathValue("user")]
	if !ok {
		return &fault{404, 10007, "Unknown Member"}
	}
	m := member(v)
	m["user"] = user(v)
	answer(w, 200, m)
	return nil
}

func (s *Sim) getChannel(w http.ResponseWriter, r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[r.PathValue("channel")]
	if c == nil {
		return &fault{404, 10003, "Unknown Channel"}
	}
	o := s.channelObject(c)
	o["guild_id"] = c.guild.ID
	answer(w, 200, o)
	return nil
}
