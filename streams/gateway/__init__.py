"""The front door: what hospitals send, kept before it is acknowledged.

Which sender speaks, and on which feed? Is the message whole, of a kind we take, new, and kept? What is
the sender told? The room refuses to know what a message means: it reads just enough of one to key it by
its patient (`schemas.hl7v2.peek`, the FHIR and event readers), and leaves the rest to translate.

One promise rules every file here: **a positive answer is sent only after the broker confirmed the message
with all copies**; whatever else happens, the answer says that it is not kept, or there is none.

* `framing` MLLP bytes to frames, pure. `mllp` the sockets. `hl7_door` what one message is answered. `senders` on which feed.
* `keeping` commit, then acknowledge. `committing` the one producer, in its own thread. `memory` what was kept in 72 hours.
* `web` the web intake; `web_access` who may, `web_server` its sockets, `web_replies` what is said, `web_pages` its document.
* `subscriptions` event numbers of FHIR subscriptions. `silence` feeds that say nothing for too long.
* `files` backfills, `folders` watched folders. `rejected` what is held and cannot be used. `mllp_client` a polite sender.
* `role` puts them together into one process.
"""
