import { Crosspod } from 'crosspod-client';

const query = new URLSearchParams(location.search);
const client = new Crosspod(query.get('url') ?? 'ws://localhost:8080/ws', {
  userId: query.get('name') ?? 'guest',
});
const room = client.room('lobby');

const status = document.querySelector('[role=status]');
const form = document.querySelector('form');

function item(text) {
  const element = document.createElement('li');
  element.textContent = text;
  return element;
}

client.onState((state, ended) => {
  status.textContent = ended?.reason ? `${state}: ${ended.reason}` : state;
});
room.on('chat', ({ from, data }) => document.querySelector('ol').append(item(`${from}: ${data.text}`)));
room.onMembers((members) =>
  document.querySelector('ul').replaceChildren(...members.map((member) => item(member.user_id))),
);
room.onUnrecovered(() => {
  status.textContent = 'you may have missed messages';
});
room.onLeft((error) => {
  status.textContent = error?.message ?? 'the server removed you from the room';
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  const text = form.elements.text.value;
  form.reset();
  room.send({ text }).catch((error) => {
    status.textContent = `not sent: ${error.message}`;
  });
});

// onLeft receives the same refusal.
room.join({ history: 50 }).catch(() => {});
