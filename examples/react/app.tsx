import { type ReactNode, type SubmitEvent, useState } from 'react';
import type { Crosspod } from 'crosspod-client';
import { useRoom } from './use-room.ts';

export function App({ client }: { readonly client: Crosspod }): ReactNode {
  const [isInside, setInside] = useState(true);
  return (
    <main>
      <button type="button" onClick={() => setInside(!isInside)}>
        {isInside ? 'Leave' : 'Enter'}
      </button>
      {isInside && <Conversation client={client} name="lobby" />}
    </main>
  );
}

function Conversation({ client, name }: { readonly client: Crosspod; readonly name: string }): ReactNode {
  const { messages, members, refused, state, send } = useRoom(client, name);
  return (
    <>
      <p role="status">{refused ?? state}</p>
      <ul aria-label="Members">
        {members.map((member) => (
          <li key={member.user_id}>{member.user_id}</li>
        ))}
      </ul>
      <ol aria-label="Messages">
        {messages.map(({ id, from, data }) => (
          <li key={id}>
            {from}: {data.text}
          </li>
        ))}
      </ol>
      <Composer send={send} />
    </>
  );
}

function Composer({ send }: { readonly send: (text: string) => Promise<string> }): ReactNode {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setText('');
    send(text).then(
      () => setProblem(''),
      (error: Error) => setProblem(`not sent: ${error.message}`),
    );
  };
  return (
    <form onSubmit={submit}>
      <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
      <button type="submit">Send</button>
      <span role="alert">{problem}</span>
    </form>
  );
}
