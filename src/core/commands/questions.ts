import type { Answerer } from '../ports/directory.ts';
import type { Pod } from './pod.ts';
import { answerConnections, type ConnectionsQuestion } from './list-connections.ts';
import { answerMove, type MoveQuestion } from './move-user.ts';

/** What one pod asks all others, as JSON. A pod that does not know `ask` gives no answer. */
export type Question = ConnectionsQuestion | MoveQuestion;

/** Answers the questions of all pods for the connections of this one. */
export function answererOf(pod: Pod): Answerer {
  return async (text) => {
    const question = JSON.parse(text) as Question;
    switch (question.ask) {
      case 'connections':
        return answerConnections(pod, question);
      case 'join':
      case 'leave':
        return answerMove(pod, question);
      default:
        return undefined;
    }
  };
}
