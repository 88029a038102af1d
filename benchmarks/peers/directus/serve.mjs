// Directus in so many processes on one port, as PM2 starts it: node serve.mjs FOLDER PROCESSES; or one command of its
// own: node serve.mjs FOLDER bootstrap
import cluster from 'node:cluster';
import { join } from 'node:path';

const [folder, order] = process.argv.slice(2);

if (cluster.isPrimary && order !== 'bootstrap') {
	for (let number = 0; number < Number(order); number++) cluster.fork();
	process.on('SIGTERM', () => process.exit(0));
} else {
	process.argv = [process.argv[0], 'directus', order === 'bootstrap' ? order : 'start'];
	await import(join(folder, 'node_modules/@directus/api/dist/cli/run.js'));
}
