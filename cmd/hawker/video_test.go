package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/connectors/twitch/channel"
	"hawker/connectors/twitch/twitchsim"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
	"hawker/internal/sqldb"
	"hawker/internal/studio"
	"hawker/relay/rtmp"
	"hawker/relay/rtmpsim"
	"hawker/relay/still"
)

// ingestSim is where a platform takes video, and its address.
func ingestSim(t *testing.T, app string) (*rtmpsim.Sim, string) {
	t.Helper()
	ln := listenLocal(t)
	s := &rtmpsim.Sim{}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	t.Cleanup(func() {
		s.Close()
		<-ended
	})
	return s, "rtmp://" + ln.Addr().String() + "/" + app
}

// film publishes a picture again and again until stop, which says goodbye.
func film(t *testing.T, server, key string) (stop func()) {
	t.Helper()
	target, err := rtmp.ParseTarget(server, key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := (&rtmp.Dialer{}).Publish(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		header, keys := still.Black(640, 360)
		err := p.Send(rtmp.Message{Type: rtmp.TypeVideo, Payload: header})
		for n := uint32(0); ctx.Err() == nil && err == nil; n++ {
			err = p.Send(rtmp.Message{Type: rtmp.TypeVideo, Time: n * 40, Payload: keys[n%2]})
			time.Sleep(40 * time.Millisecond)
		}
	}()
	return func() {
		cancel()
		<-done
		_ = p.End()
	}
}

// A show with a connected Twitch and a connected YouTube channel: nobody pastes a key. Both get the video and the title, both lamps
// tell the truth, and the broadcast ends with the show.
func TestConnectedChannels(t *testing.T) {
	ctx := t.Context()
	twitchIngest, twitchServer := ingestSim(t, "app")
	youtubeIngest, youtubeServer := ingestSim(t, "live2")
	tw := twitchsim.New(twitchsim.Options{ClientID: "cid", ClientSecret: "csec"})
	tw.AddUser(twitchsim.User{ID: channelID, Login: "ana", Name: "ana"})
	irc, api := listenLocal(t), listenLocal(t)
	tw.Start(irc, api)
	t.Cleanup(tw.Close)
	tw.SetIngests(twitchsim.Ingest{Name: "here", Server: twitchServer, Default: true})
	yt := youtubesim.New(youtubesim.Config{Channels: []youtubesim.Channel{{ID: "UCana", Title: "Ana"}}, IngestServer: youtubeServer})
	yt.Start(listenLocal(t))
	t.Cleanup(yt.Close)
	web := listenLocal(t)
	set := settings{Data: t.TempDir(), AllowPrivateTargets: true, RTMPListen: "127.0.0.1:0", RelayProcess: relayInside, Node: "one"}
	at := "http://" + api.Addr().String()
	set.Twitch = twitchSettings{
		ClientID: "cid", ClientSecret: "csec", APIURL: at + "/helix", AuthURL: at + "/oauth2", IRCURL: "irc://" + irc.Addr().String(), IngestURL: at + "/ingests",
		EventSubURL: "ws://" + api.Addr().String() + "/ws",
	}
	set.YouTube = youtubeSettings{APIURL: yt.URL(), AuthURL: yt.AuthURL(), TokenURL: yt.TokenURL(), RevokeURL: yt.RevokeURL(), ClientID: "c", ClientSecret: "s"}
	h, err := openHouse(ctx, set, slog.New(slog.NewTextHandler(quiet{t}, nil)), "http://shop.example")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	m, err := h.db.PutMerchant(ctx, sqldb.Merchant{Slug: "ana", Name: "Ana", Currency: "EUR", Timezone: "UTC", Language: "en"})
	must(err)
	tok := tw.Grant(channelID, channel.ScopeStreamKey, channel.ScopeBroadcast)
	must(h.db.PutAccount(ctx, m, chat.Account{
		Platform: chat.Twitch, ID: channelID, Name: "ana", Token: chat.Token{Access: tok.Access, Refresh: tok.Refresh, Expires: tok.Expires, Scopes: tok.Scopes},
	}, sqldb.OwnerAccount))
	access, refresh, expires := yt.Grant("UCana")
	must(h.db.PutAccount(ctx, m, chat.Account{Platform: chat.YouTube, ID: "UCana", Name: "Ana", Token: chat.Token{Access: access, Refresh: refresh, Expires: expires}}, sqldb.OwnerAccount))
	st, err := h.db.Load(ctx, m)
	must(err)
	show := commerce.Show{ID: commerce.NewID(time.Now()), Name: "spring", Title: "Spring kiln", State: commerce.ShowLive}
	must(h.db.Commit(ctx, &commerce.Batch{Merchant: m, Epoch: st.Epoch, Seq: st.Seq, Shows: []commerce.Show{show}}))
	for _, account := range []string{"twitch/" + channelID, "youtube/UCana"} {
		_, err := h.db.PutDestination(ctx, m, sqldb.Destination{Show: show.ID, Name: account, Account: account, Enabled: true})
		must(err)
	}
	server, err := h.video.start(ctx)
	must(err)
	p, err := h.pages(extras{})
	must(err)
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.run(running, web, p) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		must(h.close())
	}()
	<-h.hub.Started()
	must(h.hub.Serve(ctx, m))
	k, err := h.video.studio.NewKey(ctx, m, show.ID, false)
	must(err)
	twitchIngest.Accept(tw.StreamKey(channelID))
	tw.GoLive(channelID)
	over := film(t, server, k.Main)
	way := func(i int) studio.Way {
		v, err := h.video.studio.View(ctx, m, show.ID)
		must(err)
		return v.To[i]
	}
	eventually(t, "Twitch shows it", func() bool { w := way(0); return w.Status != nil && w.Status.Sending && w.Received.Good })
	eventually(t, "YouTube has a broadcast", func() bool { return len(yt.Streams("UCana")) == 1 && youtubeIngest.Counts().Published > 0 })
	yt.Ingest(yt.Streams("UCana")[0].Key, true)
	eventually(t, "YouTube shows it", func() bool { w := way(1); return w.Status != nil && w.Status.Sending && w.Received.Good })
	if title, _, _ := tw.Title(channelID); title != "Spring kiln" || twitchIngest.Counts().Refused != 0 {
		t.Errorf("on Twitch it is called %q; %+v", title, twitchIngest.Counts())
	}
	if all := yt.Broadcasts("UCana"); len(all) != 1 || all[0].Title != "Spring kiln" || all[0].State != "live" {
		t.Errorf("on YouTube: %+v", all)
	}
	page, err := h.hub.Page(ctx, m, show.ID)
	must(err)
	page.Show.State = commerce.ShowEnded
	_, err = h.hub.Ask(ctx, m, commerce.Key{}, commerce.SetShow{Show: page.Show})
	must(err)
	over()
	eventually(t, "the broadcast is over", func() bool { all := yt.Broadcasts("UCana"); return len(all) == 1 && all[0].State == "complete" })
}
