//! A web page on loopback to play with the relay: the sheet, events and faults on one side, the chats on the other.
//!
//! Behind it are the real relay and the fakes that the tests use. `world` holds them and carries out what the page
//! asks for, one thing after the other; `server` is the page's HTTP. The page itself is plain files in the binary.

mod relay;
mod request;
mod scene;
mod server;
mod stage;
mod story;
mod world;

pub use request::Language;
pub use server::Page;
