package relay

import "time"

// EventKind says what happened.
type EventKind string

// The events of a stream.
const (
	StreamStarted      EventKind = "stream_started"      // a publisher came, the stream is new
	StreamStopped      EventKind = "stream_stopped"      // it is over, all destinations are closed
	IngestAway         EventKind = "ingest_away"         // the publisher was lost; destinations stay for the grace time
	IngestBack         EventKind = "ingest_back"         // it is back, or another took over
	IngestPart         EventKind = "ingest_part"         // one of two publishers was lost
	IngestKnocks       EventKind = "ingest_knocks"       // a publisher from elsewhere waits for the host
	SlateOn            EventKind = "slate_on"            // no encoder sends, so the slate does
	SlateOff           EventKind = "slate_off"           // an encoder is on the air again
	DestinationUp      EventKind = "destination_up"      // a keyframe went out
	DestinationDown    EventKind = "destination_down"    // the connection failed or was refused; it is tried again
	DestinationStalled EventKind = "destination_stalled" // it takes nothing; DestinationUp or DestinationDown follows
	DestinationRemoved EventKind = "destination_removed" // it was taken out, or the stream ended
)

// Event is something a merchant may want to hear about. It holds no secrets.
type Event struct {
	Kind        EventKind
	At          time.Time
	Stream      string // Config.ID
	Destination string // Destination.ID, empty for events of the stream
	Name        string // Destination.Name
	Reason      Reason
	Text        string // a sentence for people, may be empty
}

func (s *Server) emit(e Event) {
	e.At = time.Now()
	log := s.log().With("stream", e.Stream)
	if e.Destination != "" {
		log = log.With("destination", e.Destination)
	}
	if e.Reason != "" {
		log = log.With("reason", string(e.Reason), "text", e.Text)
	}
	log.Info(string(e.Kind))
	if s.OnEvent != nil {
		s.OnEvent(e)
	}
}
